"""What the distribution holds beside `pyproject.toml`: the packages with their data, and what lies beside them in a
checkout as data of `config`, so that nothing of a general name stands among other packages.
"""

from setuptools import find_packages, setup

SHIPPED = ("locale", "static", "templates")  # config.places.SHIPPED

setup(
    packages=[
        *find_packages(include=["calculator*", "catalog*", "config*"]),
        *(f"config.shipped.{name}" for name in SHIPPED),
    ],
    package_dir={f"config.shipped.{name}": name for name in SHIPPED},
    package_data={"": ["*", "**/*"]},
    exclude_package_data={"": ["*.pyc", "**/*.pyc"]},
)
