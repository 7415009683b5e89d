"""Where the binary starts."""

from vorflug.cli.__main__ import main

main()
