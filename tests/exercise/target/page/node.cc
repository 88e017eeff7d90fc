// node.cc - the tree of a page (see node.h). How it is written out is in render.cc.
#include "node.h"

#include <algorithm>
#include <cstdlib>

#include "host.h"
#include "url.h"

Node::~Node()
{
}

bool Node::set(const std::string &, const std::string &)
{
	return false;
}

const std::string *Node::get(const std::string &) const
{
	return nullptr;
}

void Node::detach()
{
	std::vector<Node *> *siblings = parent ? parent->childList() : nullptr;

	if (siblings != nullptr)
		siblings->erase(std::find(siblings->begin(), siblings->end(), this));
	parent = nullptr;
}

bool Node::within(const Node *other) const
{
	for (const Node *node = this; node != nullptr; node = node->parent)
		if (node == other)
			return true;
	return false;
}

TagNode::~TagNode()
{
	for (Node *child : children)
		delete child;
}

std::string TagNode::text() const
{
	std::string out;

	for (const Node *child : children)
		out += child->text();
	return out;
}

bool TagNode::set(const std::string &name, const std::string &value)
{
	attributes[name] = value;
	return true;
}

const std::string *TagNode::get(const std::string &name) const
{
	auto at = attributes.find(name);

	return at == attributes.end() ? nullptr : &at->second;
}

void TagNode::add(Node *child)
{
	child->parent = this;
	children.push_back(child);
}

LinkNode::~LinkNode()
{
	free(host_);
}

bool LinkNode::set(const std::string &name, const std::string &value)
{
	struct url url;

	TagNode::set(name, value);
	if (name != "href")
		return true;
	free(host_);
	host_ = nullptr;
	if (url_split(value.c_str(), &url) < 0)
		return false;
	host_ = host_normalise(url.host);
	if (host_ == nullptr)
		return false;
	scheme_ = url.scheme;
	path_ = url.path;
	port_ = url.port;
	return true;
}

std::string LinkNode::address() const
{
	std::string out;

	if (host_ == nullptr)
		return out;
	out = scheme_ + "://" + host_;
	if (port_ != url_default_port(scheme_.c_str()))
		out += ":" + std::to_string(port_);
	return out + path_;
}

TagNode *makeNode(const std::string &tag)
{
	if (tag == "a")
		return new LinkNode;
	return new TagNode(tag);
}
