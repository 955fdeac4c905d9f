"""The numbers of a report: records, statistics, figures by name, and how they are worded."""
