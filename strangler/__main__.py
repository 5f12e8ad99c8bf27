"""`python -m strangler`: the command, by whichever Python."""

from strangler.cli import main

if __name__ == "__main__":
    main()
