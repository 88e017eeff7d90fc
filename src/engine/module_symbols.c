/* Symbols: for the report, and for the few procedures that the engine and the monitors know by name (exported ones, so stripped files have them). */
#include "engine/module.h"
#include "engine/module_symbols.h"

#include <gelf.h>
#include <string.h>

typedef bool symbol_test(void *context, const char *name, const GElf_Sym *symbol);

static bool walk_table(Elf *elf, unsigned type, symbol_test *test, void *context)
{
	Elf_Scn *section = NULL;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header) || header.sh_type != type)
			continue;
		Elf_Data *data = elf_getdata(section, NULL);
		GElf_Sym symbol;
		for (int i = 0; data && gelf_getsym(data, i, &symbol); i++) {
			const char *name = symbol.st_shndx == SHN_UNDEF ? NULL : elf_strptr(elf, header.sh_link, symbol.st_name);
			if (name && test(context, name, &symbol))
				return true;
		}
	}
	return false;
}

struct by_name {
	const char *name;
	uint64_t offset;
};

static bool has_name(void *context, const char *name, const GElf_Sym *symbol)
{
	struct by_name *want = context;
	if (strcmp(name, want->name) || GELF_ST_TYPE(symbol->st_info) == STT_TLS)
		return false;
	want->offset = symbol->st_value;
	return true;
}

static bool search(const struct module *m, const char *name, bool exported, uint64_t *offset)
{
	struct by_name want = {name, 0};
	bool found = m->elf && (walk_table(m->elf, SHT_DYNSYM, has_name, &want) || (!exported && walk_table(m->elf, SHT_SYMTAB, has_name, &want)));
	*offset = want.offset;
	return found;
}

/* The same few names are asked for whenever the module is loaded. */
static bool look_up(const struct module *m, const char *name, bool exported, uint64_t *offset)
{
	struct symbol_answers *known = m->symbols;
	for (size_t i = 0; i < known->count; i++)
		if (known->at[i].exported == exported && !strcmp(known->at[i].name, name)) {
			if (known->at[i].found)
				*offset = known->at[i].offset;
			return known->at[i].found;
		}
	struct symbol_answer answer = {.exported = exported};
	answer.found = search(m, name, exported, &answer.offset);
	if (answer.found)
		*offset = answer.offset;
	if (strlen(name) < sizeof answer.name) {
		strcpy(answer.name, name);
		vec_push(known, answer);
		((struct module *)m)->learned = true;
	}
	return answer.found;
}

bool module_symbol(const struct module *m, const char *name, uint64_t *offset)
{
	return look_up(m, name, false, offset);
}

bool module_exported(const struct module *m, const char *name, uint64_t *offset)
{
	return look_up(m, name, true, offset);
}

struct by_address {
	uint64_t offset, best;
	const char *name;
};

static bool nearer(void *context, const char *name, const GElf_Sym *symbol)
{
	struct by_address *want = context;
	int type = GELF_ST_TYPE(symbol->st_info);
	if ((type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_value <= want->offset &&
	    (!symbol->st_size || want->offset - symbol->st_value < symbol->st_size) && (!want->name || symbol->st_value > want->best)) {
		want->name = name;
		want->best = symbol->st_value;
	}
	return false;
}

const char *module_symbol_at(const struct module *m, uint64_t offset, uint64_t *delta)
{
	struct by_address want = {offset, 0, NULL};
	if (m->elf) {
		walk_table(m->elf, SHT_SYMTAB, nearer, &want);
		walk_table(m->elf, SHT_DYNSYM, nearer, &want);
	}
	if (want.name)
		*delta = offset - want.best;
	return want.name;
}
