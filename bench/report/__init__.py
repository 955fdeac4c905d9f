"""Reports for people: page, tables, plots and summary."""
