"""What the scripts here say: a line a check, and in the end how many failed."""
import sys

_failed = 0


def say(ok, what):
    """One check; gives back whether it was right."""
    global _failed
    _failed += not ok
    print(('ok   ' if ok else 'FAIL ') + what, flush=True)
    return ok


def skip(why):
    """Ends the script: what is left cannot be checked here."""
    print('SKIP: ' + why)
    sys.exit(1 if _failed else 77)


def all_well():
    return _failed == 0


def end():
    """Ends the script."""
    print(f'{_failed} failed')
    sys.exit(1 if _failed else 0)
