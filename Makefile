# SPDX-License-Identifier: GPL-2.0-only
#
# /dev/iommu for stock kernels. 'make help' says what there is.

KDIR    ?= /lib/modules/$(shell uname -r)/build
MACHINE ?= amd64-vtd
# depmod, udevadm: not in the path of a plain su
export PATH := $(PATH):/usr/sbin:/sbin
lab     := tools/testing/vm/lab

# of the kernel in KDIR, not of the one that runs
release = $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)
kbuild  = $(MAKE) -C $(KDIR) M=$(CURDIR)

modules: kdir
	$(kbuild) modules

all: modules

help:
	@echo 'Modules, for the kernel whose headers are in KDIR (default: the one that runs):'
	@echo '  make [modules] [KDIR=...]  build iommufd.ko, vfio_cdev.ko, and our own drivers of IOMMUs:'
	@echo '                             iommu_vtd.ko, iommu_amdvi.ko; on arm64 iommu_smmuv3.ko; on POWER iommu_tce.ko'
	@echo '  make install               install and announce them (root): modules, udev rule, module'
	@echo '                             configuration; DESTDIR=... to install elsewhere'
	@echo '  make uninstall             remove what install has put there (root)'
	@echo '  make overlay LINUX=...     lay the subsystem over the source of a 6.12 kernel, to build it there;'
	@echo '                             make overlay-undo LINUX=... leaves the source as it was'
	@echo '  make clean                 remove what was built, and the logs of machines'
	@echo
	@echo 'In virtual machines (root or sudo; the first run fetches a Debian 13 tree):'
	@echo '  make demo                  see it work: DMA by edu, and NVMe in a guest of QEMU and KVM'
	@echo '  make demo-arm64            the same on Arm: QEMU gives a guest an SMMU whose tables it makes itself'
	@echo '  make check                 all tests'
	@echo '  make check-debug           the same on a kernel that tells of every mistake (KASAN, lockdep; slow)'
	@echo "  make check-mainline-tests  mainline's own test programs, fetched from Debian's newest kernel source"
	@echo '  make coverage              which lines of the modules the tests reach, a table per file'
	@echo '  make test T=NAME [MACHINE=...]    one test, or those that match a pattern'
	@echo '  make fuzz [SECONDS=60] [SEED=...] [ROUND=...]   random sequences of commands; a round that'
	@echo '                             failed is repeated, and printed, by its seed and number'
	@echo '  make shell [MACHINE=...]   a shell in a machine with the modules loaded'
	@echo '  make bench                 measures against the type1 container; a table, and out/bench.json'
	@echo "Machines: $$(cd tools/testing/vm/machines && ls | grep -Ev 'inc$$|README' | tr '\n' ' ')(default $(MACHINE))"

kdir:
	@test -e $(KDIR)/Makefile || { \
		echo 'No kernel headers in $(KDIR).'; \
		echo "Install them (Debian: apt install linux-headers-$$(uname -r)), or name others with KDIR=..."; \
		exit 1; } >&2

rules     := $(DESTDIR)/usr/lib/udev/rules.d/60-iommufd.rules
modprobe  := $(DESTDIR)/usr/lib/modprobe.d/iommufd.conf
load      := $(DESTDIR)/usr/lib/modules-load.d/iommufd.conf
initramfs := $(DESTDIR)/usr/share/initramfs-tools
hook      := $(initramfs)/hooks/iommu_smmuv3
init_top  := $(initramfs)/scripts/init-top/iommu_smmuv3
installed  = $(DESTDIR)/lib/modules/$(release)/updates
# of which each architecture has its own
drivers   := intel/iommu_vtd.ko amd/iommu_amdvi.ko arm/iommu_smmuv3.ko power/iommu_tce.ko

install: modules
	install -D -m 644 drivers/iommu/iommufd/iommufd.ko $(installed)/iommufd.ko
	for m in $(drivers); do \
		[ ! -e drivers/iommu/$$m ] || install -D -m 644 -t $(installed) drivers/iommu/$$m || exit; done
	install -D -m 644 drivers/vfio/vfio_cdev.ko $(installed)/vfio_cdev.ko
	install -D -m 644 tools/install/60-iommufd.rules $(rules)
	install -D -m 644 tools/install/modprobe.conf $(modprobe)
	install -D -m 644 tools/install/modules-load.conf $(load)
	[ ! -e drivers/iommu/arm/iommu_smmuv3.ko ] || { \
		install -D -m 755 tools/install/initramfs-hook $(hook) && \
		install -D -m 755 tools/install/initramfs-init-top $(init_top); }
	$(if $(DESTDIR),,depmod $(release))
	$(if $(DESTDIR),,-udevadm control --reload 2>/dev/null)
	@echo "Installed for kernel $(release). Now: modprobe iommufd"
	@[ ! -e $(hook) ] || echo "To have iommu_smmuv3 drive the SMMU: update-initramfs -u -k $(release), and boot with initcall_blacklist=arm_smmu_driver_init"

uninstall: kdir
	rm -f $(installed)/iommufd.ko $(installed)/vfio_cdev.ko \
		$(addprefix $(installed)/,$(notdir $(drivers))) \
		$(rules) $(modprobe) $(load) $(hook) $(init_top)
	$(if $(DESTDIR),,depmod $(release))
	$(if $(DESTDIR),,-udevadm control --reload 2>/dev/null)

clean:
	@test ! -e $(KDIR)/Makefile || $(kbuild) clean
	rm -rf out

demo:
	@tools/demo/demo

demo-arm64:
	@tools/demo/demo arm64-smmu-demo

check:
	@$(lab) check

check-debug:
	@$(lab) check debug

check-mainline-tests:
	@tools/testing/mainline/mainline

coverage:
	@$(lab) coverage

overlay overlay-undo:
	@test -n '$(LINUX)' || { echo 'usage: make $@ LINUX=SOURCE, the source of a 6.12 kernel' >&2; exit 1; }
	@tools/overlay/overlay $(if $(filter %-undo,$@),undo,apply) '$(LINUX)'

test:
	@test -n '$(T)' || { echo 'usage: make test T=NAME [MACHINE=...]' >&2; exit 1; }
	@$(lab) run -v -t '$(T)' $(MACHINE)

SECONDS ?= 60
fuzz:
	@LAB_LIMIT=$$(($(SECONDS) + 300)) $(lab) run $(MACHINE) -- /t/iommu-fuzz --seconds $(SECONDS) \
		$(if $(SEED),--seed $(SEED)) $(if $(ROUND),--round $(ROUND) --replay)

shell:
	@$(lab) shell $(MACHINE)

bench:
	@$(lab) bench

.PHONY: overlay overlay-undo modules all help kdir install uninstall clean demo demo-arm64 check check-debug coverage check-mainline-tests test shell bench
