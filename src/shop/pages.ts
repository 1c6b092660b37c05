/** Whole lists, a page at a time. */
import { lastCursor, type Body, type ShopContext } from "./feed.ts";
import { VIEWS, type Kind } from "./views.ts";

export interface PageQuestion {
  /** Key of the last one read; absent: from the first. */
  readonly after?: string | undefined;
  /** Only these. */
  readonly keys?: readonly string[] | undefined;
  /** Without these. */
  readonly except?: readonly string[] | undefined;
  readonly limit: number;
}

export interface Page {
  readonly bodies: readonly Body[];
  /** Key to go on after; null: this was the last page. */
  readonly next: string | null;
  /** Taken before the page was read: the feed from here misses nothing. */
  readonly cursor: string;
}

export interface DocumentsQuestion {
  readonly account: string;
  /** First and last date, ISO; absent: no bound. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
  /** True: with their lines. */
  readonly lines: boolean;
}

export async function page(
  context: ShopContext,
  kind: Kind,
  { after = "", keys, except = [], limit }: PageQuestion,
): Promise<Page> {
  const cursor = await lastCursor(context);
  const rows = await context.store.query<{ key: string; body: Body }>(
    `select v.key, v.body from (${VIEWS[kind]}) v
      where v.key > $2 and ($3::text[] is null or v.key = any($3)) and v.key <> all($5::text[])
      order by v.key limit $4`,
    [context.company, after, keys ?? null, limit + 1, except],
  );
  return paged(rows, limit, cursor);
}

/** Newest first. */
export async function documents(
  context: ShopContext,
  { account, from, to, after, limit, lines }: DocumentsQuestion,
): Promise<Page> {
  const cursor = await lastCursor(context);
  const rows = await context.store.query<{ key: string; body: Body }>(
    `select v.on || '/' || v.key as key,
            case when $7 then v.body || jsonb_build_object('lines', (${LINES})) else v.body end as body
       from (select v.*, v.body ->> 'documentOn' as on, v.body ->> 'documentType' as document_type,
                    v.body ->> 'document' as document
               from (${VIEWS.document} and d.account = $2) v) v
      where ($3::text is null or v.on >= $3) and ($4::text is null or v.on <= $4)
        and ($5::text is null or v.on || '/' || v.key < $5)
      order by 1 desc limit $6`,
    [context.company, account, from ?? null, to ?? null, after ?? null, limit + 1, lines],
  );
  return paged(rows, limit, cursor);
}

const LINES = `
  select coalesce(jsonb_agg(jsonb_build_object(
           'line', l.line, 'lineClass', l.line_class, 'product', l.product,
           'description', l.description, 'quantity', trim_scale(l.quantity)::text,
           'unitPrice', trim_scale(l.unit_price)::text, 'net', l.net::text, 'vat', l.vat::text,
           'vatCode', l.vat_code) order by l.line), '[]'::jsonb)
    from sales_line l
   where l.company = $1 and l.document_type = v.document_type and l.document = v.document`;

function paged(
  rows: readonly { readonly key: string; readonly body: Body }[],
  limit: number,
  cursor: string,
): Page {
  const shown = rows.slice(0, limit);
  return {
    bodies: shown.map(({ body }) => body),
    next: rows.length > limit ? (shown.at(-1)?.key ?? null) : null,
    cursor,
  };
}
