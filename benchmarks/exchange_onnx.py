import sys
def missing(*names):
    import importlib.util
    for name in names:
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed: pip install {name.replace('_', '-')}", file=sys.stderr); return True
    return False
