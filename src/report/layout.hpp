#pragma once
// Layout of a graph in layers: tasks below what they need, phases after each other, few crossings.

#include <string>
#include <vector>

namespace conductorai::report {

struct Point {
  double along = 0;   // in the direction of the work: the layer
  double across = 0;  // 0 is the middle, one unit a node
};

struct GraphNode {
  std::vector<std::size_t> needs;  // indexes of nodes; acyclic
  std::size_t group = 0;           // layers of a later group come after those of an earlier one
  Point at;                        // filled by lay_out
};
struct GraphEdge {
  std::size_t from = 0, to = 0;
  std::vector<Point> by;  // points on the way past the layers between
};
struct Graph {
  std::vector<GraphNode> nodes;
  std::vector<GraphEdge> edges;
  double layers = 0, width = 0;  // extent along and across, in units
};

/// A need that another need has as well, at any depth, says nothing new: it is taken out. For graphs small enough to be drawn.
void drop_implied_needs(Graph& graph);

/// Fills places and edges. Time is linear in nodes, edges and the layers that edges pass.
void lay_out(Graph& graph);

}  // namespace conductorai::report
