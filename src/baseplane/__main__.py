from baseplane.cli import main

main()
