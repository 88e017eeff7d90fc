// node.h - the tree of a page.
#ifndef GAZETTE_NODE_H
#define GAZETTE_NODE_H

#include <map>
#include <string>
#include <vector>

class Element;
class Renderer;

class Node {
public:
	Node() : parent(nullptr), wrapper(nullptr) {}
	virtual ~Node();
	virtual void render(Renderer &out) const = 0;
	virtual std::string text() const = 0;
	virtual bool movable() const { return true; }

	// Attributes; get returns null if there is none.
	virtual bool set(const std::string &name, const std::string &value);
	virtual const std::string *get(const std::string &name) const;

	// Nodes that can't have any have none.
	virtual std::vector<Node *> *childList() { return nullptr; }

	// Take this node out of its parent's children; it is the caller's then.
	void detach();
	bool within(const Node *other) const;

	Node *parent;
	Element *wrapper;       // what scripts see of it, if they do
};

class TextNode : public Node {
public:
	explicit TextNode(const std::string &c) : chars(c) {}
	void render(Renderer &out) const override;
	std::string text() const override { return chars; }

	std::string chars;
};

class TagNode : public Node {
public:
	explicit TagNode(const std::string &t) : tag(t) {}
	~TagNode() override;
	void render(Renderer &out) const override;
	std::string text() const override;
	bool set(const std::string &name, const std::string &value) override;
	const std::string *get(const std::string &name) const override;
	std::vector<Node *> *childList() override { return &children; }

	void add(Node *child);

	std::string tag;
	std::map<std::string, std::string> attributes;
	std::vector<Node *> children;
};

// The page itself.
class RootNode : public TagNode {
public:
	RootNode() : TagNode("page") {}
	bool movable() const override { return false; }
	void render(Renderer &out) const override;
};

// <a href="...">: the address is taken apart and its host brought to plain form when it is set.
class LinkNode : public TagNode {
public:
	LinkNode() : TagNode("a"), host_(nullptr), port_(0) {}
	~LinkNode() override;
	void render(Renderer &out) const override;
	bool set(const std::string &name, const std::string &value) override;

	std::string address() const;

private:
	std::string scheme_, path_;
	char *host_;
	int port_;
};

// The right class for a tag.
TagNode *makeNode(const std::string &tag);

#endif
