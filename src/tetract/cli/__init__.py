"""One thin file per verb; a verb imports what it needs when it runs."""
