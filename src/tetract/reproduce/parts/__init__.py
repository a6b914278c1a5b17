"""One file per table or figure: which arms it needs, what is compared, what is drawn."""
