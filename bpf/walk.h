/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the daemon and the walk (walk.bpf.c) say to each other; src/Shared/Walking has the same in C#.
 */
#ifndef MAPLOG_WALK_H
#define MAPLOG_WALK_H

/* The longest entry that is walked: words of 8 bytes of key and value together. */
#define WALK_MAX_WORDS	512

/* Where a map's elements lie, as walk_find read it. */
struct walk_place {
	__u64 elements;		/* address of the first element; of an array, of the first value */
	__u32 element_size;	/* bytes from one element to the next */
	__u32 id;		/* the map's id; 0: no map of this id was met */
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
};

/* What the daemon sets before the program is loaded. */
struct walk_shape {
	__u32 has_cast;		/* whether this kernel has bpf_rdonly_cast() */
	__u32 is_hash;		/* else an array */
	__u32 is_lru;
	__u32 unused;
	__u32 element_size;
	__u32 elements;		/* elements in memory: a hash map has one more for each possible CPU */
	__u32 key_words;
	__u32 value_words;
	__u32 value_at;		/* offset of the value from the key */
	__u32 room;		/* entries that walk_found can hold */
	__u64 key_mask;		/* of the last word of the key: its bytes past the key's end are noise */
	__u64 value_mask[WALK_MAX_WORDS];	/* bits of the value that count, word by word */
};

/* One call: which elements, and what came of it. */
struct walk_call {
	__u64 elements;		/* address of the first element */
	__u32 from;
	__u32 count;
	__u32 all;		/* 1: every entry is reported, whatever was seen before */
	__u32 next;		/* out: the element where the next call goes on */
	__u32 found;		/* in, out: entries in walk_found */
	__u32 live;		/* out: elements that hold an entry */
	__u32 moving;		/* out: entries that changed while they were read; they are reported by a later walk */
	__u32 unreadable;	/* out: elements that could not be read */
};

#endif
