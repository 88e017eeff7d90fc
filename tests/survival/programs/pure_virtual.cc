/* Shapes: a base's constructor calls what only the derived class has. */
#include <iostream>
#include <sstream>
#include <memory>
#include <string>

struct shape {
	explicit shape(bool eager) { if (eager) announce(); }
	virtual ~shape() {}
	virtual double area() const = 0;
	__attribute__((noinline)) void announce() { last = area(); }
	double last = 0;
};

struct square : shape {
	square(double side, bool eager) : shape(eager), side(side) {}
	double area() const override { return side * side; }
	double side;
};

struct circle : shape {
	circle(double radius, bool eager) : shape(eager), radius(radius) {}
	double area() const override { return 3 * radius * radius; }
	double radius;
};

static __attribute__((noinline)) void handle(const std::string &line)
{
	std::istringstream in(line);
	std::string id, kind, eager;
	double size;
	in >> id >> kind >> size >> eager;
	std::unique_ptr<shape> s;
	if (kind == "square")
		s.reset(new square(size, eager == "eager"));
	else
		s.reset(new circle(size, eager == "eager"));
	std::cout << id << " " << s->area() << "\n";
}

int main()
{
	std::string line;
	while (std::getline(std::cin, line))
		handle(line);
	std::cout << "end" << std::endl;
	return 0;
}
