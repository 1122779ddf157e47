"""The command line of `asp`: one tree of verbs, a module for each group of them.

It imports the standard library only, so that help, completion and a wrong call answer at once; a verb's own module is
loaded when the verb is known.
"""
