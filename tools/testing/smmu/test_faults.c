// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page requests and stalls: what is asked for reaches iommufd as it was asked, each group
 * has one answer, and nothing is under way any more when somebody may rely on that.
 */
#include "rig.h"

#define AT 0x40000
#define SID 0x100
/* Failure, invalid, success */
enum { NO, INVALID, YES };

static struct client c;
static struct iommu_domain *d;

static void begin(unsigned int lg2)
{
	soft_reset(FULL0 | IDR0_ATS | IDR0_PRI, IDR1_QUEUES(8, 7, lg2) | IDR1_SSID(10) | 16, 0,
		   FULL5);
	OK(unit_up());
	client_add(&c, SID);
	c.pdev.ats_cap = 1;
	c.pdev.pri_cap = 0x300;
	c.pdev.pri_max = 64;
	c.pdev.pasid_cap = 1;
	c.pdev.max_pasids = 1 << 10;
	c.fwspec.flags = IOMMU_FWSPEC_PCI_RC_ATS;
	OK(client_probe(&c));
	d = table(&c, PASID);
	OK(client_attach(&c, d));
	nr_faults = 0;
	faults_refused = false;
}

static void end(void)
{
	OK(client_attach(&c, NULL));
	table_free(d);
	client_remove(&c);
	CHECK_EQ(soft.illegal, 0);
	unit_down();
}

/* 8.1, by hand: SSV, L, W, R, X, Priv, SSID, SID; address, group */
static void request_of(u64 *w, u32 sid, int ssid, unsigned int lwrxp, unsigned int group)
{
	w[0] = sid | (u64)lwrxp << 58 | (ssid == NO_SSID ? 0 : 1ULL << 63 | (u64)ssid << 32);
	w[1] = AT | group;
}

#define L 16
#define W 8
#define R 4
#define X 2
#define P 1

static void ask(u32 sid, int ssid, unsigned int lwrxp, unsigned int group)
{
	u64 w[2];

	request_of(w, sid, ssid, lwrxp, group);
	soft_page_request(w);
	soft_interrupts();
}

static void answer(int ssid, unsigned int group, unsigned int code)
{
	const struct iommufd_page_response response = {
		.pasid = ssid == NO_SSID ? 0 : ssid, .grpid = group,
		.has_pasid = ssid != NO_SSID, .code = code,
	};

	smmu_iommufd_ops.page_response(&c.pdev.dev, &response);
}

/* CMD_PRI_RESP: SSV, SSID, SID; PRGIndex, Resp */
static void was_answered(u32 sid, int ssid, unsigned int group, unsigned int code)
{
	const struct soft_command *command = soft_last(0x41);
	u64 w0 = 0x41 | (u64)sid << 32;

	if (ssid != NO_SSID)
		w0 |= 1 << 11 | (u64)ssid << 12;
	CHECK(command);
	CHECK_EQ(command->w[0], w0);
	CHECK_EQ(command->w[1], group | code << 12);
	soft.nr_taken = 0;
}

static void enable(void)
{
	OK(smmu_iommufd_ops.enable_faults(&c.pdev.dev));
	CHECK(c.pdev.pri_enabled && c.pdev.pri_control);
}

static void disable(void)
{
	smmu_iommufd_ops.disable_faults(&c.pdev.dev);
	CHECK(!c.pdev.pri_enabled && !c.pdev.pri_control);
}

static void asked_and_answered(void)
{
	static const struct { unsigned int said, code; } codes[] = {
		{ IOMMU_PAGE_RESP_SUCCESS, YES }, { IOMMU_PAGE_RESP_INVALID, INVALID },
		{ IOMMU_PAGE_RESP_FAILURE, NO },
	};
	unsigned int i, lwrxp, ssid;

	begin(6);
	enable();
	/* half of 64 */
	CHECK_EQ(c.pdev.pri_allocated, 32);
	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		for (ssid = 0; ssid < 2; ssid++) {
			int pasid = ssid ? 0x155 : NO_SSID;

			nr_faults = 0;
			soft.nr_taken = 0;
			ask(SID, pasid, R, 0x1aa);
			ask(SID, pasid, L | W, 0x1aa);
			CHECK_EQ(nr_faults, 2);
			CHECK_EQ(soft_count(0x41), 0);
			answer(pasid, 0x1aa, codes[i].said);
			was_answered(SID, pasid, 0x1aa, codes[i].code);
		}
	}
	/* every kind, as it was asked for */
	for (lwrxp = 0; lwrxp < 32; lwrxp++) {
		for (ssid = 0; ssid < 2; ssid++) {
			const struct iommu_fault_page_request *f = &faults[0].request;
			int pasid = ssid ? 7 : NO_SSID;
			unsigned int perm = 0;

			nr_faults = 0;
			soft.nr_taken = 0;
			ask(SID, pasid, lwrxp, 3);
			if (!(lwrxp & (R | W))) {
				CHECK_EQ(nr_faults, 0);
				/* of nothing: a stop marker has no answer */
				CHECK_EQ(soft_count(0x41), lwrxp & L && !ssid);
				continue;
			}
			CHECK_EQ(nr_faults, 1);
			CHECK(faults[0].dev == &c.pdev.dev);
			perm |= lwrxp & R ? IOMMU_FAULT_PERM_READ : 0;
			perm |= lwrxp & W ? IOMMU_FAULT_PERM_WRITE : 0;
			perm |= lwrxp & X && ssid ? IOMMU_FAULT_PERM_EXEC : 0;
			perm |= lwrxp & P && ssid ? IOMMU_FAULT_PERM_PRIV : 0;
			CHECK_EQ(f->perm, perm);
			CHECK_EQ(f->addr, AT);
			CHECK_EQ(f->grpid, 3);
			CHECK_EQ(f->pasid, ssid ? 7 : 0);
			CHECK_EQ(f->flags, (lwrxp & L ? IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE : 0) |
					   (ssid ? IOMMU_FAULT_PAGE_REQUEST_PASID_VALID |
						   IOMMU_FAULT_PAGE_RESPONSE_NEEDS_PASID : 0));
			if (lwrxp & L)
				answer(pasid, 3, IOMMU_PAGE_RESP_SUCCESS);
		}
	}
	disable();
	end();
}

/* Nobody asks, or takes what is asked: there is an answer all the same. */
static void nobody(void)
{
	begin(6);
	ask(SID, NO_SSID, L | R, 5);
	was_answered(SID, NO_SSID, 5, INVALID);
	enable();
	ask(SID + 8, 9, L | R, 6);
	was_answered(SID + 8, 9, 6, INVALID);
	faults_refused = true;
	ask(SID, 9, R, 7);
	CHECK_EQ(soft_count(0x41), 0);
	ask(SID, 9, L | R, 7);
	was_answered(SID, 9, 7, INVALID);
	CHECK_EQ(nr_faults, 0);
	disable();
	ask(SID, NO_SSID, L | R, 8);
	was_answered(SID, NO_SSID, 8, INVALID);
	end();
}

static void lacks(u32 idr0, unsigned int what, const char *text)
{
	soft_reset(FULL0 | idr0, FULL1, 0, FULL5);
	OK(unit_up());
	client_add(&c, SID);
	c.pdev.ats_cap = what != 1;
	c.pdev.pri_cap = what == 2 ? 0 : 0x300;
	c.pdev.is_virtfn = what == 3;
	c.fwspec.flags = IOMMU_FWSPEC_PCI_RC_ATS;
	OK(client_probe(&c));
	CHECK_EQ(smmu_iommufd_ops.enable_faults(&c.pdev.dev), -EOPNOTSUPP);
	if (!strstr(last_reason, text))
		tap_fail(__FILE__, __LINE__, "said: %s", last_reason);
	client_remove(&c);
	unit_down();
}

static void who_may(void)
{
	lacks(IDR0_ATS, 0, "unit has no page requests");
	lacks(IDR0_PRI, 0, "unit has no page requests");
	lacks(IDR0_ATS | IDR0_PRI, 1, "ATS is not used");
	lacks(IDR0_ATS | IDR0_PRI, 2, "no page request interface");
	lacks(IDR0_ATS | IDR0_PRI, 3, "virtual function");
	begin(6);
	c.pdev.pri_busy = true;
	CHECK_EQ(smmu_iommufd_ops.enable_faults(&c.pdev.dev), -EBUSY);
	CHECK(strstr(last_reason, "not finished"));
	c.pdev.pri_busy = false;
	c.pdev.gone = true;
	CHECK_EQ(smmu_iommufd_ops.enable_faults(&c.pdev.dev), -EIO);
	c.pdev.gone = false;
	enable();
	disable();
	end();
	/* a queue of one record is nobody's */
	begin(0);
	CHECK_EQ(smmu_iommufd_ops.enable_faults(&c.pdev.dev), -ENOSPC);
	end();
}

/* It begins to ask when its ATS begins, and has ended when that ends. */
static void with_ats(void)
{
	begin(6);
	client_block(&c);
	CHECK(!c.pdev.ats_enabled);
	OK(smmu_iommufd_ops.enable_faults(&c.pdev.dev));
	CHECK(!c.pdev.pri_enabled);
	OK(client_attach(&c, d));
	CHECK(c.pdev.ats_enabled && c.pdev.pri_enabled);
	/* on its way while it is told to stop: answered before it is detached */
	request_of(c.soft->late[0], SID, NO_SSID, R | L, 0x11);
	c.soft->lates = 1;
	soft.nr_taken = 0;
	client_block(&c);
	CHECK(!c.pdev.ats_enabled && !c.pdev.pri_enabled);
	CHECK_EQ(nr_faults, 1);
	CHECK_EQ(faults[0].request.grpid, 0x11);
	OK(client_attach(&c, d));
	CHECK(c.pdev.pri_enabled);
	disable();
	CHECK(c.pdev.ats_enabled);
	end();
}

/* It leaves a table and stays attached to another: what it asked for there has come. */
static void leaves(void)
{
	struct iommu_domain *two;

	begin(6);
	two = table(&c, PASID);
	OK(pasid_attach(&c, 7, d, NULL));
	enable();
	request_of(c.soft->late[0], SID, 7, R | L, 0x21);
	c.soft->lates = 1;
	pasid_detach(&c, 7, d);
	CHECK_EQ(nr_faults, 1);
	request_of(c.soft->late[0], SID, NO_SSID, W | L, 0x22);
	c.soft->lates = 1;
	OK(client_attach(&c, two));
	CHECK_EQ(nr_faults, 2);
	CHECK_EQ(faults[1].request.grpid, 0x22);
	CHECK(c.pdev.pri_enabled);
	disable();
	OK(client_attach(&c, d));
	table_free(two);
	end();
}

static void too_many(void)
{
	unsigned int i;
	u64 w[2];

	begin(3);
	enable();
	for (i = 0; i < 20; i++) {
		request_of(w, SID, NO_SSID, R | L, i);
		soft_page_request(w);
	}
	CHECK_EQ(soft.lost, 12);
	soft_interrupts();
	CHECK_EQ(nr_faults, 8);
	CHECK(strstr(kernel_log, "have to repeat"));
	/* acknowledged, and it works again, around the end */
	kernel_log_lines = 0;
	for (i = 0; i < 20; i++) {
		ask(SID, NO_SSID, R | L, i);
		CHECK_EQ(nr_faults, 9 + i);
	}
	CHECK_EQ(kernel_log_lines, 0);
	/* once more */
	for (i = 0; i < 9; i++)
		soft_page_request(w);
	soft_interrupts();
	CHECK(strstr(kernel_log, "have to repeat"));
	CHECK_EQ(kernel_log_lines, 1);
	/* while it is told to stop, and something is lost then */
	for (i = 0; i < 9; i++)
		soft_page_request(w);
	disable();
	CHECK_EQ(nr_faults % 32, (28 + 8 + 8) % 32);
	end();
}

/* A unit that stalls what faults: it goes on, or is ended, and nothing waits for ever. */
static void stalls(void)
{
	u64 phys;
	unsigned int i;

	soft_reset((FULL0 & ~IDR0_STALL(3)) | IDR0_STALL(2), FULL1 | IDR1_SSID(4), 0, FULL5);
	OK(unit_up());
	client_add(&c, SID);
	c.pdev.max_pasids = 16;
	OK(client_probe(&c));
	d = table(&c, PASID);
	OK(client_attach(&c, d));
	nr_faults = 0;
	CHECK_EQ(goes_to(&c, NO_SSID, AT, true, 0), TRANSLATION);
	/* nobody wants to hear */
	CHECK_EQ(soft.stalls[0], 3);
	CHECK_EQ(nr_faults, 0);
	OK(smmu_iommufd_ops.enable_faults(&c.pdev.dev));
	OK(pasid_attach(&c, 5, d, NULL));
	for (i = 0; i < 4; i++) {
		const struct iommu_fault_page_request *f = &faults[i].request;
		int ssid = i & 1 ? 5 : NO_SSID;

		CHECK_EQ(goes_to(&c, ssid, AT + i * PAGE_SIZE, i & 2, 0), TRANSLATION);
		CHECK_EQ(nr_faults, i + 1);
		CHECK_EQ(f->addr, AT + i * PAGE_SIZE);
		CHECK_EQ(f->perm, i & 2 ? IOMMU_FAULT_PERM_WRITE : IOMMU_FAULT_PERM_READ);
		CHECK_EQ(f->pasid, i & 1 ? 5 : 0);
		CHECK_EQ(f->flags, IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE |
				   (i & 1 ? IOMMU_FAULT_PAGE_REQUEST_PASID_VALID : 0));
		CHECK_EQ(soft.stalls[f->grpid], 1);
	}
	phys = memory_new(0);
	map(d, AT, phys, PAGE_SIZE, RW);
	answer(NO_SSID, faults[0].request.grpid, IOMMU_PAGE_RESP_SUCCESS);
	CHECK_EQ(soft.stalls[faults[0].request.grpid], 2);
	CHECK_EQ(goes_to(&c, NO_SSID, AT, false, phys), 0);
	answer(5, faults[1].request.grpid, IOMMU_PAGE_RESP_INVALID);
	CHECK_EQ(soft.stalls[faults[1].request.grpid], 3);
	answer(NO_SSID, faults[2].request.grpid, IOMMU_PAGE_RESP_FAILURE);
	CHECK_EQ(soft.stalls[faults[2].request.grpid], 3);
	faults_refused = true;
	CHECK_EQ(goes_to(&c, NO_SSID, AT + 4 * PAGE_SIZE, true, 0), TRANSLATION);
	for (i = 0; i < 16; i++)
		CHECK(soft.stalls[i] != 1 || i == faults[3].request.grpid);
	answer(5, faults[3].request.grpid, IOMMU_PAGE_RESP_INVALID);
	smmu_iommufd_ops.disable_faults(&c.pdev.dev);
	pasid_detach(&c, 5, d);
	OK(client_attach(&c, NULL));
	table_free(d);
	memory_free(phys);
	client_remove(&c);
	CHECK_EQ(soft.illegal, 0);
	unit_down();
}

static const struct tap_test tests[] = {
	{ "page requests as they were sent, and their answers", asked_and_answered },
	{ "page requests that nobody takes", nobody },
	{ "who may ask", who_may },
	{ "page requests begin and end with ATS", with_ats },
	{ "what a device has asked for where it leaves", leaves },
	{ "more page requests than fit", too_many },
	{ "a unit that stalls what faults", stalls },
};

int main(int argc, char **argv)
{
	return TAP_RUN(argc, argv, tests);
}
