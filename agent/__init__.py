"""What happens to one article: the pure core, the LangGraph graph and the model client."""
