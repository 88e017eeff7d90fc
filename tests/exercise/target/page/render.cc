// render.cc - writing a page's tree out: plain markup, with numbered headings and lists and the
// addresses of all links at the end.
#include "render.h"

#include <cstring>

#include "node.h"

struct Style {
	const char *tag, *open, *close;
};

static const Style styles[] = {
	{ "p", "<p>", "</p>\n" },          { "b", "<b>", "</b>" },
	{ "i", "<i>", "</i>" },            { "u", "<u>", "</u>" },
	{ "pre", "<pre>", "</pre>\n" },    { "quote", "<blockquote>", "</blockquote>\n" },
	{ "div", "<div>\n", "</div>\n" },  { "table", "<table>\n", "</table>\n" },
	{ "tr", "<tr>", "</tr>\n" },       { "td", "<td>", "</td>" },
	{ "th", "<th>", "</th>" },         { "br", "<br>\n", "" },
	{ "hr", "<hr>\n", "" },            { "code", "<code>", "</code>" },
};

static const Style *styleOf(const std::string &tag)
{
	for (const Style &style : styles)
		if (tag == style.tag)
			return &style;
	return nullptr;
}

void Renderer::escaped(const std::string &text)
{
	for (char c : text) {
		switch (c) {
		case '<': out += "&lt;"; break;
		case '>': out += "&gt;"; break;
		case '&': out += "&amp;"; break;
		case '"': out += "&quot;"; break;
		default: out += c;
		}
	}
}

static void renderChildren(const TagNode &node, Renderer &out)
{
	for (const Node *child : node.children)
		child->render(out);
}

// "1.2 Title"
static void renderHeading(const TagNode &node, int level, Renderer &out)
{
	std::string number;

	out.headings[level]++;
	for (int deeper = level + 1; deeper < 4; deeper++)
		out.headings[deeper] = 0;
	for (int i = 1; i <= level; i++)
		number += (i > 1 ? "." : "") + std::to_string(out.headings[i]);
	out.out += "<" + node.tag + ">" + number + " ";
	renderChildren(node, out);
	out.out += "</" + node.tag + ">\n";
}

static void renderList(const TagNode &node, bool numbered, Renderer &out)
{
	out.lists.push_back(numbered ? 1 : 0);
	out.out += "<div class=\"list\">\n";
	renderChildren(node, out);
	out.out += "</div>\n";
	out.lists.pop_back();
}

static void renderItem(const TagNode &node, Renderer &out)
{
	int *number = out.lists.empty() ? nullptr : &out.lists.back();

	out.out += std::string(out.lists.size() * 2, ' ');
	out.out += number && *number ? std::to_string((*number)++) + ". " : "* ";
	renderChildren(node, out);
	out.out += "\n";
}

static bool renderSpecial(const TagNode &node, Renderer &out)
{
	const std::string &tag = node.tag;

	if (tag.size() == 2 && tag[0] == 'h' && tag[1] >= '1' && tag[1] <= '3')
		renderHeading(node, tag[1] - '0', out);
	else if (tag == "ol" || tag == "ul")
		renderList(node, tag == "ol", out);
	else if (tag == "li")
		renderItem(node, out);
	else
		return false;
	return true;
}

void TextNode::render(Renderer &out) const
{
	out.escaped(chars);
}

void TagNode::render(Renderer &out) const
{
	const Style *style = styleOf(tag);

	if (renderSpecial(*this, out))
		return;
	out.out += style ? style->open : "<span>";
	renderChildren(*this, out);
	out.out += style ? style->close : "</span>";
}

void LinkNode::render(Renderer &out) const
{
	std::string to = address();

	if (to.empty()) {
		renderChildren(*this, out);
		out.out += "[?]";
		return;
	}
	out.links.push_back(to);
	out.out += "<a href=\"";
	out.escaped(to);
	out.out += "\">";
	renderChildren(*this, out);
	out.out += "</a>[" + std::to_string(out.links.size()) + "]";
}

void RootNode::render(Renderer &out) const
{
	const std::string *title = get("title");

	out.out += "<!doctype html>\n<title>";
	out.escaped(title ? *title : "untitled");
	out.out += "</title>\n";
	renderChildren(*this, out);
	if (!out.links.empty())
		out.out += "<hr>\n";
	for (size_t i = 0; i < out.links.size(); i++) {
		out.out += "[" + std::to_string(i + 1) + "] ";
		out.escaped(out.links[i]);
		out.out += "<br>\n";
	}
}
