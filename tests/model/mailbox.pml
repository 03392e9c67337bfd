/* SPDX-License-Identifier: Apache-2.0 OR MIT */

/*
 * One actor's mailbox, the right to run it, the pool's injection stack and the sleep of
 * its workers, as in src/rt: node_push_begin and node_push_end, turn_run, turn_leave,
 * inject, wake_one, park, after_wait. Memory is sequentially consistent here; what the
 * orders of the real atomics give is argued where they stand.
 *
 * Checked: one worker at a time runs the actor; every message is handled exactly once and
 * in the order in which the tail was exchanged; when nothing moves any more nothing is
 * left behind.
 *
 * MUTANT seeds one fault, which must be found:
 *	1  a sender looks for sleepers before it has pushed
 *	2  a worker looks at the stack before it counts itself as idle
 *	3  the tail is compared and then stored, not swapped
 *	4  the mark of a wake-up under way is never taken back
 *	5  the actor is scheduled before its first node is known
 *	6  the tail is read and then stored, not exchanged
 *	7  the runner leaves when it sees no next node, whatever the tail says
 */

#ifndef MUTANT
#define MUTANT 0
#endif

#define WORKERS 2
#define NODES   3 /* two of one sender, one of another */

/* 0 is NULL; a node's number is its place in next and handled. */
byte tail, first, next[NODES + 1];
byte position[NODES + 1], places; /* in the order of the exchanges */
bit handled[NODES + 1];
byte n_handled, runners;

bit injected; /* the actor is on the stack */
byte idle;
bit waking, event; /* the edge in the epoll set */

inline look_for_sleepers(sleepers)
{
	sleepers = idle
}

inline wake_one(sleepers, before)
{
	if
	:: sleepers == 0
	:: else ->
		atomic { before = waking; waking = 1 }
		if
		:: before -> skip
		:: else -> event = 1
		fi
	fi
}

inline inject(sleepers, before)
{
#if MUTANT == 1
	look_for_sleepers(sleepers);
#endif
	atomic { assert(!injected); injected = 1 }
#if MUTANT != 1
	look_for_sleepers(sleepers);
#endif
	wake_one(sleepers, before)
}

inline exchange(n, before)
{
#if MUTANT == 6
	before = tail;
	tail = n;
	position[n] = places;
	places++
#else
	atomic {
		before = tail;
		tail = n;
		position[n] = places;
		places++
	}
#endif
}

proctype sender(byte n; byte last)
{
	byte before, sleepers;

	for (n : n .. last) {
		next[n] = 0;
		exchange(n, before);
		if
		:: before -> next[before] = n
		:: else ->
#if MUTANT == 5
			inject(sleepers, before);
			first = n
#else
			first = n;
			inject(sleepers, before)
#endif
		fi
	}
}

inline handle(n)
{
	assert(n != 0 && !handled[n]);
	assert(position[n] == n_handled);
	handled[n] = 1;
	n_handled++
}

/* Gives up the right to run, or not. */
inline leave(n, has_left)
{
#if MUTANT == 3
	has_left = (tail == n);
	if
	:: has_left -> atomic { tail = 0; runners-- }
	:: else
	fi
#else
	atomic {
		has_left = (tail == n || MUTANT == 7);
		if
		:: has_left -> tail = 0; runners--
		:: else
		fi
	}
#endif
}

/* A turn with a budget of any size. is_behind: first was handled in the turn before. */
inline turn(n, following, has_left, is_behind, has_more)
{
	atomic { runners++; assert(runners == 1) }
	n = first;
	has_more = 0;
	do
	:: true ->
		if
		:: is_behind -> is_behind = 0
		:: else -> handle(n)
		fi
		following = next[n];
		if
		:: following == 0 ->
			leave(n, has_left);
			if
			:: has_left -> break
			:: else ->
				following = next[n];
				if
				:: following
				:: else ->
					/* The sender is late: keep n in front. */
					first = n;
					is_behind = 1;
					has_more = 1;
					runners--;
					break
				fi
			fi
		:: else
		fi
		n = following;
		if
		:: true
		:: true -> /* The budget is used up. */
			first = n;
			has_more = 1;
			runners--;
			break
		fi
	od
}

inline park(is_empty)
{
#if MUTANT == 2
	is_empty = !injected;
	idle++;
#else
	idle++;
	is_empty = !injected;
#endif
	if
	:: is_empty ->
end_asleep:	atomic { event; event = 0 }
		idle--;
#if MUTANT != 4
		waking = 0
#endif
	:: else -> idle--
	fi
}

proctype worker()
{
	byte n, following;
	bit has_left, is_behind, has_more, is_mine, is_empty;

	do
	:: true ->
		atomic { is_mine = injected; injected = 0 }
		if
		:: is_mine ->
			has_more = 1;
			do
			:: has_more -> turn(n, following, has_left, is_behind, has_more)
			:: else -> break
			od
		:: else -> park(is_empty)
		fi
	od
}

/* Nothing else can move. */
proctype judge()
{
	timeout;
	assert(n_handled == NODES && tail == 0 && !injected && runners == 0)
}

init
{
	atomic {
		byte i;

		for (i : 1 .. WORKERS) {
			run worker()
		}
		run sender(1, 2);
		run sender(3, 3);
		run judge()
	}
}
