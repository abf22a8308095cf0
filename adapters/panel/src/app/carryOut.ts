/**
 * Has a mutation done, and calls then with what it gave, also if the component that asked is gone by then: the event
 * of a change may take its row away before the answer comes, and the callbacks of mutate would not be called. Errors
 * stay with the mutation.
 */
export function carryOut<Variables, Data>(
  mutation: { mutateAsync: (variables: Variables) => Promise<Data> },
  variables: Variables,
  then: (data: Data) => void,
): void {
  mutation.mutateAsync(variables).then(then, () => undefined);
}
