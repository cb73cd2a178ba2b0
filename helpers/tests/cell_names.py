"""What the code of a notebook's cell binds, and what it uses of other cells."""

import ast
import symtable


class Synchronous(ast.NodeTransformer):
    """Takes `async` and `await` out of a cell: from Python 3.14 on, symtable refuses them outside a function."""

    def visit_Await(self, node):
        return self.visit(node.value)

    def visit_AsyncWith(self, node):
        self.generic_visit(node)
        return ast.With(node.items, node.body)

    def visit_AsyncFor(self, node):
        self.generic_visit(node)
        return ast.For(node.target, node.iter, node.body, node.orelse)

    def visit_comprehension(self, node):
        self.generic_visit(node)
        return ast.comprehension(node.target, node.iter, node.ifs, is_async=0)


def names(source):
    """Return the names that a cell's code binds, those that it imports, and those that it uses: three sets of str."""
    source = "\n".join("" if line.startswith(("%", "!")) else line for line in source.splitlines())
    source = ast.unparse(ast.fix_missing_locations(Synchronous().visit(ast.parse(source))))
    top = symtable.symtable(source, "cell", "exec")
    imported = {name.get_name() for name in top.get_symbols() if name.is_imported()}
    bound = {name.get_name() for name in top.get_symbols() if name.is_assigned()} - imported
    scopes, used = [top], set()
    for scope in scopes:
        scopes += scope.get_children()
        used |= {n.get_name() for n in scope.get_symbols() if n.is_referenced() and (scope is top or n.is_global())}
    return bound, imported, used
