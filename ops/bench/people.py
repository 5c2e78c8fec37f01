"""People for benches, with Chinese names: searching them must be as hard as in an organisation."""

from collections.abc import Iterator

from storage.postgres.database import BlockingDatabase
from storage.postgres.people import people_import
from storage.postgres.people.people_import import NewPerson

FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华文辉力健生"


def make_people(database: BlockingDatabase, count: int) -> None:
    """Import active people with the ids 1 to `count`, each with a Chinese name and a mobile."""
    database.transaction(people_import.import_people, _people(count))


def _people(count: int) -> Iterator[NewPerson]:
    for number in range(1, count + 1):
        given = GIVEN[number % len(GIVEN)] + GIVEN[number // 7 % len(GIVEN)]
        name = FAMILY[number % len(FAMILY)] + given
        yield NewPerson(
            id=number,
            mobile=f"1{number + 3_000_000_000:010}",
            name=name,
            english_name=f"person{number}",
            status="ACTIVE",
            role="ORDINARY_USER",
        )
