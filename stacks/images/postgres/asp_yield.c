/*
 * asp_yield: a session that keeps a processor busy stands back behind the others.
 *
 * A tenant may hold a few server connections, and with all of them at work it would have so many shares of the server's
 * processors while its neighbours' short statements wait for theirs. Where asp_yield.busy is set (per login role, by a
 * superuser or whoever was granted it; the role itself cannot lift it), a session that has used so much processor time
 * within at most WITHIN times as long stands back for the rest of its life, in two ways. Its process is lowered to NICE,
 * so that the kernel lets everybody else go first. And whenever it has used STEP more, it sleeps: EASE times as long as
 * it had to wait for a processor meanwhile. Where processors are free it never waits, so it never sleeps either; where
 * they are not, it leaves some of their time unused, which is what a neighbour's statement finds at once. A process
 * without privileges cannot raise itself again; the pooler replaces the connection when server_lifetime is over.
 *
 * The clock is the processor time of the process itself (ITIMER_PROF): a session that is idle is never woken. To sleep
 * in the handler of a signal is safe: nothing can come of it that does not come of a process that the kernel lets wait.
 * It is put off while the session holds what others may wait for.
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/guc.h"

#define WITHIN 5			/* a fifth of a processor is busy */
#define NICE 10
#define STEP 20				/* ms of processor time */
#define EASE 4
#define LONGEST 500			/* ms of sleep at a time */

PG_MODULE_MAGIC;

void		_PG_init(void);

static int	busy = 0;			/* ms of processor time, 0: the session never stands back */
static bool stands_back = false;
static int64 since = 0;			/* monotonic ns: when the time that is being used up began */
static int64 waited = 0;		/* ns for a processor, in all of the session's life until then */

static int64
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64) time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ns that this process was ready and had no processor: the second number of its schedstat. */
static int64
waiting(void)
{
	char		text[128];
	char	   *at;
	int			file = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
	ssize_t		length = file < 0 ? -1 : read(file, text, sizeof(text) - 1);

	if (file >= 0)
		close(file);
	if (length <= 0)
		return waited;
	text[length] = 0;
	at = strchr(text, ' ');
	return at ? strtoll(at, NULL, 10) : waited;
}

static void
set_timer(int ms)
{
	struct itimerval timer = {0};

	timer.it_value.tv_sec = timer.it_interval.tv_sec = ms / 1000;
	timer.it_value.tv_usec = timer.it_interval.tv_usec = ms % 1000 * 1000;
	setitimer(ITIMER_PROF, &timer, NULL);
}

/* Signal handler: `busy`, or STEP, ms of processor time are used up. Nothing here allocates, locks or logs. */
static void
used_up(SIGNAL_ARGS)
{
	int			save_errno = errno;

	if (!stands_back)
	{
		if (now() - since <= (int64) WITHIN * busy * 1000000)
		{
			stands_back = true;
			setpriority(PRIO_PROCESS, 0, NICE);
			waited = waiting();
			set_timer(STEP);
		}
		since = now();
	}
	else if (InterruptHoldoffCount == 0 && CritSectionCount == 0)
	{
		int64		ms = (waiting() - waited) * EASE / 1000000;
		struct timespec time = {0, Min(ms, LONGEST) * 1000000};

		nanosleep(&time, NULL);
		waited = waiting();
	}
	errno = save_errno;
}

static void
assign_busy(int newval, void *extra)
{
	if (!IsUnderPostmaster)		/* processes inherit neither a timer nor what they are asked by it */
		return;
	pqsignal(SIGPROF, used_up);
	stands_back = false;
	since = now();
	set_timer(newval);
}

void
_PG_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR, (errmsg("asp_yield must be loaded by shared_preload_libraries")));
	DefineCustomIntVariable("asp_yield.busy",
							"Processor time after which a session that keeps a processor busy stands back.",
							"Zero: never. Set per role: a value in the server's configuration has no effect.",
							&busy, 0, 0, 1000000, PGC_SUSET, GUC_UNIT_MS, NULL, assign_busy, NULL);
	MarkGUCPrefixReserved("asp_yield");
}
