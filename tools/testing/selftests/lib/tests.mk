# SPDX-License-Identifier: GPL-2.0
#
# For the Makefile of a folder of test programs: set PROGS (each of one .c file
# of its name) and include this. The programs are static, so that they run in
# any VM. OUTPUT: where they go, default the folder itself.

lib	:= $(dir $(lastword $(MAKEFILE_LIST)))
top	:= $(lib)../../../..
OUTPUT	?= .
PROGS	?= $(patsubst %.c,%,$(wildcard test_*.c))

CFLAGS	?= -O2 -g
override CFLAGS += -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter \
	-Wno-missing-field-initializers -I$(lib) -I$(top)/include/uapi
LDFLAGS += -static -pthread

lib_objs := $(patsubst $(lib)%.c,$(OUTPUT)/lib/%.o,$(wildcard $(lib)*.c))
headers	 := $(wildcard $(lib)*.h) $(wildcard $(top)/include/uapi/linux/*.h) $(wildcard *.h)

all: $(addprefix $(OUTPUT)/,$(PROGS))

$(OUTPUT)/lib/%.o: $(lib)%.c $(headers)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

$(addprefix $(OUTPUT)/,$(PROGS)): $(OUTPUT)/%: %.c $(lib_objs) $(headers)
	$(CC) $(CFLAGS) -o $@ $< $(lib_objs) $(LDFLAGS)

clean:
	rm -rf $(OUTPUT)/lib $(addprefix $(OUTPUT)/,$(PROGS))

.PHONY: all clean
