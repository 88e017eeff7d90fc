// markup.cc - read a page's source into its tree.
//
//   <page title="The title"> text &amp; <b>tags</b> <a href="http://example.org/">links</a>
//   <script> print("and scripts"); </script>
//
// A tag closed that isn't open is ignored; tags left open end with the page.
#include "document.h"

#include <cctype>
#include <cstring>

static const size_t kMaxDepth = 60;

class MarkupReader {
public:
	MarkupReader(Document &document, const std::string &source)
		: document_(document), source_(source), at_(0), open_(document.reading_)
	{
		open_.assign(1, &document.root);
	}

	void read();

private:
	struct Tag {
		std::string name;
		std::vector<std::pair<std::string, std::string>> attributes;
		bool closing = false;
	};

	void readText();
	void readTag();
	void readScript();
	Tag parseTag();
	void parseAttribute(Tag &tag);
	std::string word();
	void skipSpace();
	void openTag(const Tag &tag);
	void closeTag(const std::string &name);
	char peek() const { return at_ < source_.size() ? source_[at_] : '\0'; }

	Document &document_;
	const std::string &source_;
	size_t at_;
	std::vector<TagNode *> &open_;
};

static std::string decodeEntities(const std::string &text)
{
	static const struct { const char *name; const char *plain; } entities[] = {
		{ "&lt;", "<" }, { "&gt;", ">" }, { "&amp;", "&" }, { "&quot;", "\"" },
		{ "&copy;", "(c)" }, { "&nbsp;", " " }, { "&mdash;", "--" }, { "&shy;", "" },
	};
	std::string out;

	for (size_t i = 0; i < text.size();) {
		size_t used = 0;

		for (auto &entity : entities) {
			if (text[i] == '&' && text.compare(i, strlen(entity.name), entity.name) == 0) {
				out += entity.plain;
				used = strlen(entity.name);
			}
		}
		if (used == 0)
			out += text[i];
		i += used ? used : 1;
	}
	return out;
}

void MarkupReader::read()
{
	while (at_ < source_.size()) {
		if (peek() == '<')
			readTag();
		else
			readText();
	}
}

void MarkupReader::readText()
{
	size_t end = source_.find('<', at_);

	if (end == std::string::npos)
		end = source_.size();
	open_.back()->add(new TextNode(decodeEntities(source_.substr(at_, end - at_))));
	at_ = end;
}

void MarkupReader::skipSpace()
{
	while (isspace(static_cast<unsigned char>(peek())))
		at_++;
}

std::string MarkupReader::word()
{
	size_t start = at_;

	while (isalnum(static_cast<unsigned char>(peek())))
		at_++;
	return source_.substr(start, at_ - start);
}

// name="value", name='value' or name alone
void MarkupReader::parseAttribute(Tag &tag)
{
	std::string name = word(), value;

	if (name.empty())
		at_++;
	if (peek() == '=') {
		at_++;
		char quote = peek();
		if (quote == '"' || quote == '\'') {
			size_t end = source_.find(quote, ++at_);

			if (end == std::string::npos)
				end = source_.size();
			value = decodeEntities(source_.substr(at_, end - at_));
			at_ = end < source_.size() ? end + 1 : end;
		} else {
			value = word();
		}
	}
	if (!name.empty())
		tag.attributes.emplace_back(name, value);
}

MarkupReader::Tag MarkupReader::parseTag()
{
	Tag tag;

	at_++;
	if (peek() == '/') {
		tag.closing = true;
		at_++;
	}
	tag.name = word();
	skipSpace();
	while (at_ < source_.size() && peek() != '>') {
		parseAttribute(tag);
		skipSpace();
	}
	at_ += at_ < source_.size();
	return tag;
}

void MarkupReader::readScript()
{
	size_t end = source_.find("</script>", at_);

	if (end == std::string::npos)
		end = source_.size();
	document_.runScript(source_.substr(at_, end - at_), *open_.back());
	at_ = end + strlen("</script>");
}

static bool standsAlone(const std::string &tag)
{
	return tag == "br" || tag == "hr";
}

void MarkupReader::openTag(const Tag &tag)
{
	TagNode *node = tag.name == "page" ? &document_.root : makeNode(tag.name);

	for (auto &attribute : tag.attributes)
		node->set(attribute.first, attribute.second);
	if (node == &document_.root)
		return;
	open_.back()->add(node);
	if (!standsAlone(tag.name) && open_.size() < kMaxDepth)
		open_.push_back(node);
}

void MarkupReader::closeTag(const std::string &name)
{
	for (size_t i = open_.size(); i-- > 1;) {
		if (open_[i]->tag == name) {
			open_.resize(i);
			return;
		}
	}
}

void MarkupReader::readTag()
{
	Tag tag = parseTag();

	if (tag.closing)
		closeTag(tag.name);
	else if (tag.name == "script")
		readScript();
	else if (!tag.name.empty())
		openTag(tag);
}

void Document::read(const std::string &source)
{
	MarkupReader(*this, source).read();
	reading_.clear();
}
