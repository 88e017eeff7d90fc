/* cache.c - rendered pages, in a hash table whose entries are also in a list by last use. */
#include "cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_BUCKETS 64
#define CACHE_ENTRIES 48

struct entry {
	struct entry *next;            /* in its bucket */
	struct entry *newer, *older;   /* by last use */
	time_t stamp;
	struct buf page;
	char name[];
};

static struct entry *buckets[CACHE_BUCKETS];
static struct entry *newest, *oldest;
static int entries;
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

static struct entry **bucket_of(const char *name)
{
	unsigned hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return &buckets[hash % CACHE_BUCKETS];
}

static struct entry *lookup(const char *name)
{
	struct entry *e = *bucket_of(name);

	while (e != NULL && strcmp(e->name, name) != 0)
		e = e->next;
	return e;
}

static void unlist(struct entry *e)
{
	*(e->newer ? &e->newer->older : &newest) = e->older;
	*(e->older ? &e->older->newer : &oldest) = e->newer;
}

static void list_first(struct entry *e)
{
	e->newer = NULL;
	e->older = newest;
	*(newest ? &newest->newer : &oldest) = e;
	newest = e;
}

static void forget(struct entry *e)
{
	struct entry **at = bucket_of(e->name);

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	unlist(e);
	buf_free(&e->page);
	free(e);
	entries--;
}

int cache_get(const char *name, time_t stamp, struct buf *out)
{
	struct entry *e;
	int found;

	pthread_mutex_lock(&cache_lock);
	e = lookup(name);
	found = e != NULL && e->stamp == stamp;
	if (found) {
		unlist(e);
		list_first(e);
		buf_add(out, e->page.data, e->page.len);
	}
	pthread_mutex_unlock(&cache_lock);
	return found;
}

static void insert(const char *name, time_t stamp, const struct buf *page)
{
	struct entry *e = calloc(1, sizeof *e + strlen(name) + 1);
	struct entry **bucket;

	if (e == NULL)
		return;
	strcpy(e->name, name);
	e->stamp = stamp;
	buf_add(&e->page, page->data, page->len);
	bucket = bucket_of(name);
	e->next = *bucket;
	*bucket = e;
	list_first(e);
	entries++;
}

void cache_put(const char *name, time_t stamp, const struct buf *page)
{
	struct entry *old;

	pthread_mutex_lock(&cache_lock);
	old = lookup(name);
	if (old != NULL)
		forget(old);
	else if (entries >= CACHE_ENTRIES)
		forget(oldest);
	insert(name, stamp, page);
	pthread_mutex_unlock(&cache_lock);
}
