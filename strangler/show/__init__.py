"""How answers look on a terminal. Each function prints one answer; none asks or decides anything."""
