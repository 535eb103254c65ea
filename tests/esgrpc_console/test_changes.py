import asyncio

from esgrpc_console.system_view import Changes


async def test_waiting_ends_with_the_next_change() -> None:
    changes = Changes()
    waiter = asyncio.create_task(changes.wait(changes.count))
    await asyncio.sleep(0)
    assert not waiter.done()
    changes.announce()
    assert await asyncio.wait_for(waiter, 1) == 1


async def test_many_changes_between_two_waits_are_one() -> None:
    changes = Changes()
    for _ in range(100):
        changes.announce()
    seen = await changes.wait(0)
    assert seen == 100
    waiter = asyncio.create_task(changes.wait(seen))
    await asyncio.sleep(0)
    assert not waiter.done()
    waiter.cancel()


async def test_every_waiter_is_woken() -> None:
    changes = Changes()
    waiters = [asyncio.create_task(changes.wait(0)) for _ in range(3)]
    await asyncio.sleep(0)
    changes.announce()
    assert await asyncio.wait_for(asyncio.gather(*waiters), 1) == [1, 1, 1]
