/* Any bytes as a patch document: refused with one readable line, or a patch that is consistent and reads back as itself. */
#include "repair/patch_json.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reason(const char *reason)
{
	if (!*reason)
		abort();
	for (; *reason; reason++)
		if (iscntrl((unsigned char)*reason))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct patch_document d, again;
	char reason[256];
	if (patch_document_parse((const char *)data, size, &d, reason, sizeof reason)) {
		check_reason(reason);
		return 0;
	}
	json_t *json = patch_document_to_json(&d);
	char *text = json_dumps(json, 0);
	if (patch_check(&d.patch, reason, sizeof reason) || patch_document_parse(text, strlen(text), &again, reason, sizeof reason))
		abort();
	json_t *second = patch_document_to_json(&again);
	if (!json_equal(json, second))
		abort();
	json_decref(json);
	json_decref(second);
	free(text);
	return 0;
}
