import { useSay } from '../parts/act.tsx';
import { Form, Refusal } from '../parts/form.tsx';
import { useOwnPassword } from '../parts/own-password.tsx';
import { Card, PageHead } from '../parts/page.tsx';

/** Of whoever is signed in. */
export function OwnPasswordPage() {
  const say = useSay();
  const change = useOwnPassword(() => say('Your password is changed. Your other sessions are ended.'));
  return (
    <>
      <PageHead title="Change password" says="Your own, for this console and for calls by Basic." />
      <Card>
        <Form submit={change.start} word="Change password" busy={change.isPending} isDirty={change.isDirty}>
          <div className="stack narrow-form">{change.fields}</div>
          <Refusal error={change.elsewhere} fields={[]} />
        </Form>
      </Card>
    </>
  );
}
