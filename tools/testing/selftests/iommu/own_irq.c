// SPDX-License-Identifier: GPL-2.0
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pci.h"
#include "own_irq.h"

/* iommu_vtd, iommu_amdvi */
#define TABLES "/sys/kernel/debug/iommu_*/*/interrupts"

bool own_irq_status(unsigned int *status)
{
	bool found = false;
	glob_t g;
	FILE *f;

	if (glob(TABLES, 0, NULL, &g))
		return false;
	f = fopen(g.gl_pathv[0], "re");
	if (f) {
		found = fscanf(f, "status=%x", status) == 1;
		fclose(f);
	}
	globfree(&g);
	return found;
}

static bool find_in(const char *path, const char *bdf, int *nth, struct own_irq *out)
{
	FILE *f = fopen(path, "re");
	struct own_irq i;
	char line[256];
	bool found = false;
	pci_bdf dev;

	while (f && !found && fgets(line, sizeof(line), f)) {
		i = (struct own_irq){};
		found = sscanf(line, "handle=%x device=%15s irq=%u present=%u vector=%x apic=%x svt=%u sq=%u sid=%x",
			       &i.handle, dev, &i.irq, &i.present, &i.vector,
			       &i.apic, &i.svt, &i.sq, &i.sid) >= 6 &&
			!strcmp(dev, bdf) && !(*nth)--;
	}
	if (f)
		fclose(f);
	if (found)
		*out = i;
	return found;
}

bool own_irq_find(const char *bdf, int nth, struct own_irq *out)
{
	bool found = false;
	size_t i;
	glob_t g;

	if (glob(TABLES, 0, NULL, &g))
		return false;
	for (i = 0; i < g.gl_pathc && !found; i++)
		found = find_in(g.gl_pathv[i], bdf, &nth, out);
	globfree(&g);
	return found;
}

unsigned long irq_count(unsigned int irq, int cpu)
{
	FILE *f = fopen("/proc/interrupts", "re");
	unsigned long sum = 0;
	char line[4096], *at, *end;
	int column;

	while (f && fgets(line, sizeof(line), f)) {
		if (strtoul(line, &at, 10) != irq || *at != ':')
			continue;
		for (column = 0, at++;; column++, at = end) {
			unsigned long n = strtoul(at, &end, 10);

			if (end == at)
				break;
			if (cpu < 0 || cpu == column)
				sum += n;
		}
		break;
	}
	if (f)
		fclose(f);
	return sum;
}
