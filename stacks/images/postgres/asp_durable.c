/*
 * asp_durable: only a superuser may change synchronous_commit.
 *
 * PostgreSQL lets any role SET it, and neither REVOKE nor ALTER ROLE takes that away: a tenant's session could then have
 * rows acknowledged that no standby holds, and lose them at a failover. Loaded by shared_preload_libraries, this moves
 * the parameter to the class that log_min_messages and others are in, so that SET, ALTER ROLE ... SET and a function's
 * SET clause are refused with PostgreSQL's own message: permission denied to set parameter.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR, (errmsg("asp_durable must be loaded by shared_preload_libraries")));
	find_option("synchronous_commit", false, false, FATAL)->context = PGC_SUSET;
}
