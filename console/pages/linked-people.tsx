import { Button, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { IdentityProviderAnswer } from '../../src/contract/identity-provider.ts';
import { linkedPeopleQuery } from '../api/queries.ts';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, Shown } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';
import { linkColumns, unlinkColumn, WhyNot } from '../parts/sign-in-link.tsx';
import { SubjectLink } from '../parts/subject.tsx';
import { CardPager, Table } from '../parts/table.tsx';

/** Whom the people of an identity provider are here, page by page however many there are. */
export function LinkedPeople({ idp }: { idp: IdentityProviderAnswer }) {
  const search = useSearch({ from: '/identity-providers/$id' });
  const navigate = useNavigate();
  const { administer } = useMay();
  const { people, after } = search;
  const query = useQuery(linkedPeopleQuery(idp.id, { search: people, after }));
  const turn = (change: Partial<typeof search>, replace = false) =>
    void navigate({
      to: '/identity-providers/$id',
      params: { id: idp.name },
      search: { ...search, after: undefined, ...change },
      replace,
      resetScroll: false,
    });
  return (
    <Card title="Linked people" bare>
      <Search key={idp.id} text={people ?? ''} turn={(text) => turn({ people: text }, true)} />
      <Shown query={query} rows={3}>
        {({ items, next }) =>
          items.length === 0 ? (
            people === undefined ? (
              <Empty icon="link" title="Nobody is linked yet">
                Whoever signs in through it is linked the first time. By hand somebody is linked on their own page,
                under <Link to="/users">Users</Link>.
              </Empty>
            ) : (
              <Empty
                icon="search"
                title="Nobody who is linked is like that"
                action={
                  <Button variant="default" onClick={() => turn({ people: undefined })}>
                    Show all
                  </Button>
                }
              >
                The search is for the beginning of a user name, or of who they are there.
              </Empty>
            )
          ) : (
            <>
              <Table
                label="Linked people"
                rows={items}
                keyOf={(row) => row.id}
                columns={[
                  {
                    head: 'User',
                    cell: (row) => (
                      <>
                        <div className="clip">
                          <SubjectLink subject={row.user} />
                        </div>
                        <WhyNot link={row} />
                      </>
                    ),
                  },
                  ...linkColumns,
                  ...(administer ? [unlinkColumn] : []),
                ]}
              />
              <CardPager count={items.length} after={after} next={next} turn={turn} />
            </>
          )
        }
      </Shown>
    </Card>
  );
}

function Search(props: { text: string; turn: (text: string | undefined) => void }) {
  const [text, setText] = useState(props.text);
  const [seen, setSeen] = useState(props.text);
  // Shown all again, or gone back to.
  if (seen !== props.text) {
    setSeen(props.text);
    setText(props.text);
  }
  const slowly = useDebouncedCallback((typed: string) => props.turn(typed || undefined), 200);
  return (
    <div className="card-body" style={{ paddingBottom: 8 }}>
      <TextInput
        aria-label="Search by the beginning of a user name, or of who they are there"
        placeholder="User name, or who they are there"
        leftSection={<Icon name="search" size={16} />}
        style={{ maxWidth: 360 }}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          slowly(event.currentTarget.value.trim());
        }}
      />
    </div>
  );
}
