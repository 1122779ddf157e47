/*
 * asp_guard: only a role that may make roles changes one, or what a database sets for its sessions.
 *
 * PostgreSQL lets every role change its own password and its own defaults (ALTER ROLE ... PASSWORD, ... SET, ... RESET),
 * and neither REVOKE nor a role's attributes take that away: one break-in at an app server could lock that server out
 * of a municipality, lift its time-outs or redirect its search path for every later session. Loaded by
 * shared_preload_libraries, this refuses both statements to whoever is neither superuser nor has CREATEROLE. What a
 * session sets for itself alone (SET) is as before.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/acl.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

static ProcessUtility_hook_type next_hook = NULL;

static void
guard(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context,
	  ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	switch (nodeTag(statement->utilityStmt))
	{
		case T_AlterRoleStmt:
		case T_AlterRoleSetStmt:
		case T_AlterDatabaseSetStmt:
			if (!has_createrole_privilege(GetUserId()))	/* a superuser has it */
				ereport(ERROR,
						(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						 errmsg("permission denied to change a role or a database's settings"),
						 errdetail("Only roles with CREATEROLE may, also for themselves.")));
			break;
		default:
			break;
	}
	if (next_hook)
		next_hook(statement, text, read_only_tree, context, params, environment, receiver, completion);
	else
		standard_ProcessUtility(statement, text, read_only_tree, context, params, environment, receiver, completion);
}

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR, (errmsg("asp_guard must be loaded by shared_preload_libraries")));
	next_hook = ProcessUtility_hook;
	ProcessUtility_hook = guard;
}
