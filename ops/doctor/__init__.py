"""What is wrong with a deployment and how to mend it: the checks of `carillon doctor`. They change nothing.

Nothing of the command line may be imported here.
"""
