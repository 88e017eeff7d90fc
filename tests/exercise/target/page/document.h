// document.h - a page while it is read and its scripts run.
#ifndef GAZETTE_DOCUMENT_H
#define GAZETTE_DOCUMENT_H

#include <string>
#include <vector>

#include "element.h"
#include "interp.h"
#include "node.h"

class Document : public Roots {
public:
	Document(unsigned gcObjects, unsigned gcGrowth);
	~Document() override;

	// Read markup (markup.cc). Scripts run as they are met, and see what is above them.
	void read(const std::string &source);
	std::string render() const;

	// The first node with this id, else the first with this tag; null if there is none.
	Node *find(const std::string &name);

	// The object scripts know a node by: always the same. It lives as long as the page.
	Value wrap(Node *node);

	// Take a node out of the page and free it, with all below. Throws if it is still being read.
	void discard(Node *node);

	// A node made by a script belongs to the page until it is put somewhere.
	Node *adopt(Node *node);
	void place(Node *node, TagNode &parent);

	void trace(Heap &heap) const override;

	RootNode root;
	Interp vm;

private:
	void runScript(const std::string &source, TagNode &at);

	friend class MarkupReader;
	std::vector<Element *> wrappers_;
	std::vector<Node *> loose_;
	std::vector<TagNode *> reading_;    // tags still open, outermost first
};

#endif
