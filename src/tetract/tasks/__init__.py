"""Figure 1's four arms, one folder each, with the same files inside."""
