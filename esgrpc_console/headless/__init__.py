"""The commands that need no terminal. They show what ``system_view`` knows, and import no Textual."""
