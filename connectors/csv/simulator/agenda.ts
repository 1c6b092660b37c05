/** What is due on which day. */

export interface Agenda<Event> {
  put(day: number, event: Event): void;
  /** Takes what is due on the day, in the order in which it was put. */
  take(day: number): readonly Event[];
}

export function agendaOf<Event>(): Agenda<Event> {
  const days = new Map<number, Event[]>();
  return {
    put(day, event) {
      const events = days.get(day);
      if (events === undefined) days.set(day, [event]);
      else events.push(event);
    },
    take(day) {
      const events = days.get(day) ?? [];
      days.delete(day);
      return events;
    },
  };
}
