// Nothing here is needed: every page and form works without it.
