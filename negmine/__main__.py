"""`python -m negmine`: the command line."""

from negmine.jobs.__main__ import process

if __name__ == "__main__":
    process()
