"""Articles in: one module per format, each turns a document into an `agent.article.Article`."""
