"""The figures of the report: facts in, SVG text out."""
