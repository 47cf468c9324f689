"""What a tenant's database holds when something is measured on it."""


def schema_of_200_tables() -> str:
    """SQL for a shop of 200 tables in public: a thousand columns, 200 policies, 199 foreign keys, 20 views,
    20 functions, 10 enums.
    """
    return "\n".join([*_enums(10), *_tables(200), *_views(20), *_functions(20)])


def _enums(number: int) -> list[str]:
    return [f"create type public.state_{n} as enum ('new', 'open', 'closed');" for n in range(number)]


def _tables(number: int) -> list[str]:
    return [
        f"""create table public.table_{n} (
          id bigint generated always as identity primary key,
          owner uuid not null,
          parent bigint {f"references public.table_{n - 1}" if n else ""},
          state public.state_{n % 10} not null default 'new',
          details jsonb not null default '{{}}');
        alter table public.table_{n} enable row level security;
        create policy own on public.table_{n} for select to authenticated using (owner = auth.uid());"""
        for n in range(number)
    ]


def _views(number: int) -> list[str]:
    return [
        f"""create view public.view_{n} with (security_invoker) as
          select t.id, t.state, p.owner from public.table_{n + 1} t join public.table_{n} p on p.id = t.parent;"""
        for n in range(number)
    ]


def _functions(number: int) -> list[str]:
    return [
        f"""create function public.of_{n}(wanted public.state_{n % 10}) returns setof public.table_{n}
          language sql stable set search_path = '' as 'select * from public.table_{n} where state = wanted';"""
        for n in range(number)
    ]
