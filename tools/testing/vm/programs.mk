# SPDX-License-Identifier: GPL-2.0-only
#
# The static programs that run inside the machines, by convention:
#   tools/testing/selftests/DIR/test_NAME.c  ->  $(BIN)/DIR-NAME
#   tools/testing/bench/NAME.c               ->  $(BIN)/bench-NAME, for those named below
#   tools/demo/NAME.c                        ->  $(BIN)/NAME
# each linked with tools/testing/selftests/lib/*.c. Other .c files of a
# directory belong to all programs of that directory.
#
# SRC: the sources, BIN: where programs go, OBJ: where objects go.

SELFTESTS := $(SRC)/tools/testing/selftests
CFLAGS    := -O2 -g -fPIE -Wall -Wextra -Wno-unused-parameter -pthread -std=gnu11 -D_GNU_SOURCE= \
	     -D__SANE_USERSPACE_TYPES__ \
	     -I$(SRC)/include/uapi -I$(SELFTESTS)/lib -MMD -MP
# not at addresses of 32 bits, which a fuzzer hands out as pointers to write to
STATIC    := -static-pie
LDFLAGS   = $(STATIC) -pthread

lib-objs  := $(patsubst $(SRC)/%.c,$(OBJ)/%.o,$(wildcard $(SELFTESTS)/lib/*.c))
programs  :=

# program NAME, its source
define program
programs += $(BIN)/$(1)
$(BIN)/$(1): $(2:$(SRC)/%.c=$(OBJ)/%.o) $(3) $(OBJ)/libtest.a
endef

# directory DIR, prefix of its programs, its programs' sources
define directory
$(foreach s,$(3),$(eval $(call program,$(2)$(patsubst test_%,%,$(basename $(notdir $(s)))),$(s),\
	$(patsubst $(SRC)/%.c,$(OBJ)/%.o,$(filter-out $(3),$(wildcard $(1)/*.c))))))
endef

$(foreach d,$(filter-out lib,$(notdir $(patsubst %/,%,$(wildcard $(SELFTESTS)/*/)))),\
	$(call directory,$(SELFTESTS)/$(d),$(d)-,$(wildcard $(SELFTESTS)/$(d)/test_*.c)))
$(call directory,$(SRC)/tools/testing/bench,bench-,$(addprefix $(SRC)/tools/testing/bench/,map.c scale.c parallel.c))
$(call directory,$(SRC)/tools/demo,,$(wildcard $(SRC)/tools/demo/*.c))

all: $(programs)
	@cd $(BIN) && for f in *; do \
		case " $(notdir $(programs)) " in *" $$f "*) ;; *) rm -f "$$f" ;; esac; done

$(programs):
	$(CC) $(LDFLAGS) -o $@ $^

$(OBJ)/libtest.a: $(lib-objs)
	rm -f $@ && $(AR) rcs $@ $^

$(OBJ)/%.o: $(SRC)/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)

.PHONY: all
.DELETE_ON_ERROR:
