"""Compile the optional twins of `pmc_assets.jats`; where that fails, the package is whole without them."""

from setuptools import setup

try:
    import lxml
    from Cython.Build import cythonize
    from setuptools import Extension
except ImportError:
    extensions = []
else:
    native = Extension(
        "pmc_assets.jats.native",
        ["pmc_assets/jats/native.pyx"],
        depends=[f"pmc_assets/jats/native_{part}.pxi" for part in ("text", "tree", "walk")],
        include_dirs=lxml.get_include(),
        optional=True,
    )
    extensions = cythonize([native], build_dir="build")

setup(ext_modules=extensions)
