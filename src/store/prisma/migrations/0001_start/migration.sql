-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "api_key" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "hint" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "scopes" TEXT[],
    "test" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "created_by" TEXT NOT NULL,
    "revoked_at" TIMESTAMPTZ(6),
    "revoked_by" TEXT,

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "audit" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "who" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "details" JSONB NOT NULL,

    CONSTRAINT "audit_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "account_request" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "number" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "body" JSONB NOT NULL,
    "duplicates" JSONB NOT NULL,
    "account" TEXT,
    "reason" TEXT,
    "test" BOOLEAN NOT NULL,
    "credit_limit" DECIMAL(18,2),
    "attempts" INTEGER NOT NULL,
    "holder" TEXT,
    "held_until" TIMESTAMPTZ(6),
    "next_try_at" TIMESTAMPTZ(6),
    "received_at" TIMESTAMPTZ(6) NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "account_request_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "account_request_event" (
    "company" TEXT NOT NULL,
    "request_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "event" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "who" TEXT NOT NULL,
    "about" TEXT NOT NULL,

    CONSTRAINT "account_request_event_pkey" PRIMARY KEY ("company","request_id","sequence")
);

-- CreateTable
CREATE TABLE "return_request" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "number" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "document" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "wanted" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "credit_notes" JSONB NOT NULL,
    "replaced_by" TEXT,
    "erp" TEXT NOT NULL,
    "erp_return" TEXT,
    "attempts" INTEGER NOT NULL,
    "holder" TEXT,
    "held_until" TIMESTAMPTZ(6),
    "next_try_at" TIMESTAMPTZ(6),
    "decided_by" TEXT,
    "decided_why" TEXT,
    "test" BOOLEAN NOT NULL,
    "received_at" TIMESTAMPTZ(6) NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "return_request_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "return_request_line" (
    "company" TEXT NOT NULL,
    "return_id" UUID NOT NULL,
    "line" INTEGER NOT NULL,
    "product" TEXT,
    "quantity" DECIMAL(18,5) NOT NULL,
    "credited_before" DECIMAL(18,5) NOT NULL,

    CONSTRAINT "return_request_line_pkey" PRIMARY KEY ("company","return_id","line")
);

-- CreateTable
CREATE TABLE "return_request_event" (
    "company" TEXT NOT NULL,
    "return_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "event" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "who" TEXT NOT NULL,
    "about" TEXT NOT NULL,

    CONSTRAINT "return_request_event_pkey" PRIMARY KEY ("company","return_id","sequence")
);

-- CreateTable
CREATE TABLE "trading_entity" (
    "company" TEXT NOT NULL,
    "trading_entity" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "parent" TEXT,
    "vat_number" TEXT,
    "postcode" TEXT,
    "opened_on" DATE,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "trading_entity_pkey" PRIMARY KEY ("company","trading_entity")
);

-- CreateTable
CREATE TABLE "branch" (
    "company" TEXT NOT NULL,
    "branch" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "default_channel" TEXT NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "branch_pkey" PRIMARY KEY ("company","branch")
);

-- CreateTable
CREATE TABLE "rep" (
    "company" TEXT NOT NULL,
    "rep" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "team" TEXT,
    "email" TEXT,
    "started_on" DATE,
    "left_on" DATE,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "rep_pkey" PRIMARY KEY ("company","rep")
);

-- CreateTable
CREATE TABLE "customer" (
    "company" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "trading_entity" TEXT,
    "head_office" TEXT,
    "buying_group" TEXT,
    "customer_group" TEXT,
    "price_list" TEXT,
    "branch" TEXT,
    "rep" TEXT,
    "currency" TEXT NOT NULL,
    "vat_code" TEXT,
    "vat_number" TEXT,
    "vat_evidence" TEXT,
    "country" TEXT,
    "discount_percent" DECIMAL(9,4),
    "terms_days" INTEGER,
    "terms_basis" TEXT,
    "settlement_percent" DECIMAL(9,4),
    "settlement_days" INTEGER,
    "credit_limit" DECIMAL(18,2),
    "balance" DECIMAL(18,2),
    "on_stop" BOOLEAN NOT NULL,
    "stop_reason" TEXT,
    "minimum_net" DECIMAL(18,2),
    "reference_required" BOOLEAN NOT NULL,
    "cash_account" BOOLEAN NOT NULL,
    "state" TEXT NOT NULL,
    "opened_on" DATE,
    "email" TEXT,
    "telephone" TEXT,
    "postcode" TEXT,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "customer_pkey" PRIMARY KEY ("company","account")
);

-- CreateTable
CREATE TABLE "site" (
    "company" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "site" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "address1" TEXT,
    "address2" TEXT,
    "address3" TEXT,
    "town" TEXT,
    "county" TEXT,
    "postcode" TEXT,
    "country" TEXT NOT NULL,
    "vat_code" TEXT,
    "standard" BOOLEAN NOT NULL,
    "state" TEXT NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "site_pkey" PRIMARY KEY ("company","account","site")
);

-- CreateTable
CREATE TABLE "assignment" (
    "company" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "rep" TEXT NOT NULL,
    "share_percent" DECIMAL(9,4) NOT NULL,
    "valid_from" DATE NOT NULL,
    "valid_to" DATE,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "assignment_pkey" PRIMARY KEY ("company","account","rep","valid_from")
);

-- CreateTable
CREATE TABLE "product_group" (
    "company" TEXT NOT NULL,
    "product_group" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "parent" TEXT,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "product_group_pkey" PRIMARY KEY ("company","product_group")
);

-- CreateTable
CREATE TABLE "product" (
    "company" TEXT NOT NULL,
    "product" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "product_group" TEXT,
    "barcode" TEXT,
    "selling_unit" TEXT NOT NULL,
    "pricing_unit" TEXT NOT NULL,
    "selling_units_per_pricing_unit" DECIMAL(18,5) NOT NULL,
    "pack_quantity" DECIMAL(18,5) NOT NULL,
    "vat_code" TEXT NOT NULL,
    "standard_cost" DECIMAL(18,6),
    "weight_kg" DECIMAL(18,5),
    "state" TEXT NOT NULL,
    "sold_on_web" BOOLEAN NOT NULL,
    "least_quantity" DECIMAL(18,5),
    "multiple_quantity" DECIMAL(18,5),
    "replaced_by" TEXT,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "product_pkey" PRIMARY KEY ("company","product")
);

-- CreateTable
CREATE TABLE "product_unit" (
    "company" TEXT NOT NULL,
    "product" TEXT NOT NULL,
    "unit" TEXT NOT NULL,
    "selling_units" DECIMAL(18,5) NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "product_unit_pkey" PRIMARY KEY ("company","product","unit")
);

-- CreateTable
CREATE TABLE "assortment" (
    "company" TEXT NOT NULL,
    "customers" TEXT NOT NULL,
    "customer_code" TEXT NOT NULL,
    "products" TEXT NOT NULL,
    "product_code" TEXT NOT NULL,
    "visibility" TEXT NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "assortment_pkey" PRIMARY KEY ("company","customers","customer_code","products","product_code")
);

-- CreateTable
CREATE TABLE "stock" (
    "company" TEXT NOT NULL,
    "product" TEXT NOT NULL,
    "branch" TEXT NOT NULL,
    "on_hand_quantity" DECIMAL(18,5) NOT NULL,
    "allocated_quantity" DECIMAL(18,5) NOT NULL,
    "on_order_quantity" DECIMAL(18,5) NOT NULL,
    "next_due_on" DATE,
    "counted_at" TIMESTAMPTZ(6),
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "stock_pkey" PRIMARY KEY ("company","product","branch")
);

-- CreateTable
CREATE TABLE "price_list" (
    "company" TEXT NOT NULL,
    "price_list" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "standard" BOOLEAN NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "price_list_pkey" PRIMARY KEY ("company","price_list")
);

-- CreateTable
CREATE TABLE "customer_price_list" (
    "company" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "price_list" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "closes" BOOLEAN NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "customer_price_list_pkey" PRIMARY KEY ("company","account","price_list")
);

-- CreateTable
CREATE TABLE "price_formula" (
    "company" TEXT NOT NULL,
    "formula" TEXT NOT NULL,
    "basis" TEXT NOT NULL,
    "price_list" TEXT,
    "round_to" DECIMAL(18,6),
    "rounding" TEXT NOT NULL,
    "adjustment" DECIMAL(18,6),
    "least_margin" DECIMAL(18,6),
    "most_margin" DECIMAL(18,6),
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "price_formula_pkey" PRIMARY KEY ("company","formula")
);

-- CreateTable
CREATE TABLE "price_rule" (
    "company" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "customer_scope" TEXT NOT NULL,
    "customer_code" TEXT,
    "product_scope" TEXT NOT NULL,
    "product_code" TEXT,
    "kind" TEXT NOT NULL,
    "value" DECIMAL(18,6) NOT NULL,
    "currency" TEXT NOT NULL,
    "unit" TEXT,
    "from_quantity" DECIMAL(18,5) NOT NULL,
    "to_quantity" DECIMAL(18,5),
    "sold_in" TEXT,
    "valid_from" DATE,
    "valid_to" DATE,
    "starts_at" TIMESTAMPTZ(6),
    "ends_at" TIMESTAMPTZ(6),
    "conditions" TEXT,
    "formula" TEXT,
    "stack" TEXT,
    "priority" INTEGER,
    "net" BOOLEAN NOT NULL,
    "contract" TEXT,
    "contract_quantity" DECIMAL(18,5),
    "contract_used_quantity" DECIMAL(18,5),
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "price_rule_pkey" PRIMARY KEY ("company","rule","from_quantity")
);

-- CreateTable
CREATE TABLE "promotion" (
    "company" TEXT NOT NULL,
    "promotion" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "customer_scope" TEXT NOT NULL,
    "customer_code" TEXT NOT NULL,
    "product_scope" TEXT NOT NULL,
    "product_code" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "value" DECIMAL(18,6),
    "buy_quantity" DECIMAL(18,5),
    "free_quantity" DECIMAL(18,5),
    "free_product" TEXT,
    "threshold_value" DECIMAL(18,2),
    "counts_over" TEXT NOT NULL,
    "lowers" TEXT NOT NULL,
    "code" TEXT,
    "valid_from" DATE NOT NULL,
    "valid_to" DATE NOT NULL,
    "starts_at" TIMESTAMPTZ(6),
    "ends_at" TIMESTAMPTZ(6),
    "stacks" BOOLEAN NOT NULL,
    "exclusive_group" TEXT,
    "priority" INTEGER,
    "most_per_order" INTEGER,
    "most_uses" INTEGER,
    "most_uses_per_account" INTEGER,
    "budget" DECIMAL(18,2),
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "promotion_pkey" PRIMARY KEY ("company","promotion","product_scope","product_code","customer_code")
);

-- CreateTable
CREATE TABLE "quotation" (
    "company" TEXT NOT NULL,
    "quotation" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "quoted_on" DATE NOT NULL,
    "expires_on" DATE,
    "customer_reference" TEXT,
    "state" TEXT NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "quotation_pkey" PRIMARY KEY ("company","quotation")
);

-- CreateTable
CREATE TABLE "quotation_line" (
    "company" TEXT NOT NULL,
    "quotation" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "product" TEXT NOT NULL,
    "quantity" DECIMAL(18,5) NOT NULL,
    "ordered_quantity" DECIMAL(18,5),
    "unit_price" DECIMAL(18,6) NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "quotation_line_pkey" PRIMARY KEY ("company","quotation","line")
);

-- CreateTable
CREATE TABLE "erp_order" (
    "company" TEXT NOT NULL,
    "erp_order" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "ordered_on" DATE NOT NULL,
    "state" TEXT NOT NULL,
    "web_order" TEXT,
    "customer_reference" TEXT,
    "branch" TEXT,
    "taken_by" TEXT,
    "net" DECIMAL(18,2),
    "vat" DECIMAL(18,2),
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "erp_order_pkey" PRIMARY KEY ("company","erp_order")
);

-- CreateTable
CREATE TABLE "erp_order_line" (
    "company" TEXT NOT NULL,
    "erp_order" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "product" TEXT,
    "description" TEXT,
    "quantity" DECIMAL(18,5) NOT NULL,
    "despatched_quantity" DECIMAL(18,5) NOT NULL,
    "invoiced_quantity" DECIMAL(18,5) NOT NULL,
    "unit_price" DECIMAL(18,6) NOT NULL,
    "net" DECIMAL(18,2) NOT NULL,
    "web_order_line" INTEGER,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "erp_order_line_pkey" PRIMARY KEY ("company","erp_order","line")
);

-- CreateTable
CREATE TABLE "order_acknowledgement" (
    "company" TEXT NOT NULL,
    "web_order" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "erp_order" TEXT NOT NULL,
    "reason" TEXT,
    "answered_on" DATE NOT NULL,
    "net" DECIMAL(18,2),
    "vat" DECIMAL(18,2),
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "order_acknowledgement_pkey" PRIMARY KEY ("company","web_order","answered_on","outcome","erp_order")
);

-- CreateTable
CREATE TABLE "despatch" (
    "company" TEXT NOT NULL,
    "despatch" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "despatched_on" DATE NOT NULL,
    "carrier" TEXT,
    "tracking" TEXT,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "despatch_pkey" PRIMARY KEY ("company","despatch")
);

-- CreateTable
CREATE TABLE "despatch_line" (
    "company" TEXT NOT NULL,
    "despatch" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "erp_order" TEXT,
    "erp_order_line" INTEGER,
    "product" TEXT NOT NULL,
    "quantity" DECIMAL(18,5) NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "despatch_line_pkey" PRIMARY KEY ("company","despatch","line")
);

-- CreateTable
CREATE TABLE "sales_document" (
    "company" TEXT NOT NULL,
    "document_type" TEXT NOT NULL,
    "document" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "document_on" DATE NOT NULL,
    "period" TEXT,
    "currency" TEXT NOT NULL,
    "branch" TEXT,
    "channel" TEXT,
    "taken_by" TEXT,
    "erp_order" TEXT,
    "web_order" TEXT,
    "customer_reference" TEXT,
    "rep" TEXT,
    "net" DECIMAL(18,2) NOT NULL,
    "vat" DECIMAL(18,2) NOT NULL,
    "gross" DECIMAL(18,2) NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "sales_document_pkey" PRIMARY KEY ("company","document_type","document")
);

-- CreateTable
CREATE TABLE "sales_line" (
    "company" TEXT NOT NULL,
    "document_type" TEXT NOT NULL,
    "document" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "line_class" TEXT NOT NULL,
    "product" TEXT,
    "description" TEXT,
    "quantity" DECIMAL(18,5) NOT NULL,
    "unit_price" DECIMAL(18,6) NOT NULL,
    "discount_percent" DECIMAL(9,4) NOT NULL,
    "net" DECIMAL(18,2) NOT NULL,
    "vat" DECIMAL(18,2) NOT NULL,
    "vat_code" TEXT,
    "cost" DECIMAL(18,2),
    "erp_order" TEXT,
    "erp_order_line" INTEGER,
    "credits_document" TEXT,
    "credits_line" INTEGER,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "sales_line_pkey" PRIMARY KEY ("company","document_type","document","line")
);

-- CreateTable
CREATE TABLE "receipt" (
    "company" TEXT NOT NULL,
    "receipt" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "received_on" DATE NOT NULL,
    "kind" TEXT NOT NULL,
    "amount" DECIMAL(18,2) NOT NULL,
    "currency" TEXT NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "receipt_pkey" PRIMARY KEY ("company","receipt")
);

-- CreateTable
CREATE TABLE "settlement" (
    "company" TEXT NOT NULL,
    "settlement" TEXT NOT NULL,
    "receipt" TEXT,
    "credit_document" TEXT,
    "document" TEXT NOT NULL,
    "settled_on" DATE NOT NULL,
    "amount" DECIMAL(18,2) NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "settlement_pkey" PRIMARY KEY ("company","settlement")
);

-- CreateTable
CREATE TABLE "ledger_transaction" (
    "company" TEXT NOT NULL,
    "transaction" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "document" TEXT,
    "account" TEXT NOT NULL,
    "posted_on" DATE NOT NULL,
    "period" TEXT,
    "net" DECIMAL(18,2),
    "vat" DECIMAL(18,2),
    "gross" DECIMAL(18,2) NOT NULL,
    "outstanding" DECIMAL(18,2),
    "due_on" DATE,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "ledger_transaction_pkey" PRIMARY KEY ("company","transaction")
);

-- CreateTable
CREATE TABLE "control_total" (
    "company" TEXT NOT NULL,
    "period" TEXT NOT NULL,
    "document_type" TEXT NOT NULL,
    "documents" INTEGER NOT NULL,
    "net" DECIMAL(18,2) NOT NULL,
    "vat" DECIMAL(18,2) NOT NULL,
    "feed" TEXT NOT NULL,
    "row_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "control_total_pkey" PRIMARY KEY ("company","period","document_type")
);

-- CreateTable
CREATE TABLE "completeness_finding" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "instruction" TEXT NOT NULL,
    "facts" JSONB NOT NULL,
    "worth" DECIMAL(18,2),
    "times" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "run_id" UUID NOT NULL,
    "opened_at" TIMESTAMPTZ(6) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(6) NOT NULL,
    "closed_at" TIMESTAMPTZ(6),
    "closed_by" TEXT,
    "explanation" TEXT,

    CONSTRAINT "completeness_finding_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "document_series" (
    "company" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "record" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "first" BIGINT NOT NULL,
    "last" BIGINT NOT NULL,
    "first_text" TEXT NOT NULL,
    "first_on" DATE NOT NULL,
    "last_text" TEXT NOT NULL,
    "last_on" DATE NOT NULL,
    "held" INTEGER NOT NULL,
    "missing" INTEGER NOT NULL,
    "separate" BOOLEAN NOT NULL,

    CONSTRAINT "document_series_pkey" PRIMARY KEY ("company","connection","record","kind","prefix")
);

-- CreateTable
CREATE TABLE "document_extent" (
    "company" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "record" TEXT NOT NULL,
    "oldest_on" DATE NOT NULL,
    "newest_on" DATE NOT NULL,

    CONSTRAINT "document_extent_pkey" PRIMARY KEY ("company","connection","record")
);

-- CreateTable
CREATE TABLE "run_volume" (
    "company" TEXT NOT NULL,
    "run_id" UUID NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "weekday" INTEGER NOT NULL,
    "read" BIGINT NOT NULL,
    "changed" BIGINT NOT NULL,
    "removed" BIGINT NOT NULL,
    "money" DECIMAL(18,2),

    CONSTRAINT "run_volume_pkey" PRIMARY KEY ("company","run_id")
);

-- CreateTable
CREATE TABLE "connection_token" (
    "company" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "key_id" TEXT NOT NULL,
    "nonce" BYTEA NOT NULL,
    "sealed" BYTEA NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "connection_token_pkey" PRIMARY KEY ("company","connection","name")
);

-- CreateTable
CREATE TABLE "connection_lease" (
    "company" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "holder" UUID NOT NULL,
    "lease_until" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "connection_lease_pkey" PRIMARY KEY ("company","connection","name")
);

-- CreateTable
CREATE TABLE "connection_rate" (
    "company" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "next_free" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "connection_rate_pkey" PRIMARY KEY ("company","connection")
);

-- CreateTable
CREATE TABLE "connection_go_live" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "connection" TEXT NOT NULL,
    "open_connection" TEXT,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "who" TEXT NOT NULL,
    "items" JSONB NOT NULL,
    "undone_at" TIMESTAMPTZ(6),
    "undone_by" TEXT,
    "undone_why" TEXT,

    CONSTRAINT "connection_go_live_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "connection_stop" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "open_key" TEXT,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "who" TEXT NOT NULL,
    "why" TEXT NOT NULL,
    "until" TIMESTAMPTZ(6),
    "evidence" JSONB,
    "ended_at" TIMESTAMPTZ(6),
    "ended_by" TEXT,
    "ended_why" TEXT,

    CONSTRAINT "connection_stop_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "event" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "noted_at" TIMESTAMPTZ(6) NOT NULL,
    "place" INTEGER NOT NULL,
    "data" JSONB NOT NULL,
    "number" BIGINT,

    CONSTRAINT "event_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "event_feed" (
    "company" TEXT NOT NULL,
    "last" BIGINT NOT NULL,
    "tidied" BIGINT NOT NULL,

    CONSTRAINT "event_feed_pkey" PRIMARY KEY ("company")
);

-- CreateTable
CREATE TABLE "webhook" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "about" TEXT NOT NULL,
    "types" TEXT[],
    "orders" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "disabled_because" TEXT,
    "made_at" TIMESTAMPTZ(6) NOT NULL,
    "made_by" TEXT NOT NULL,
    "told" BIGINT NOT NULL,
    "missed" INTEGER NOT NULL,
    "failing_since" TIMESTAMPTZ(6),
    "quiet_until" TIMESTAMPTZ(6),

    CONSTRAINT "webhook_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "webhook_secret" (
    "company" TEXT NOT NULL,
    "webhook_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "key_id" TEXT NOT NULL,
    "nonce" BYTEA NOT NULL,
    "sealed" BYTEA NOT NULL,
    "made_at" TIMESTAMPTZ(6) NOT NULL,
    "ends_at" TIMESTAMPTZ(6),

    CONSTRAINT "webhook_secret_pkey" PRIMARY KEY ("company","webhook_id","id")
);

-- CreateTable
CREATE TABLE "webhook_delivery" (
    "company" TEXT NOT NULL,
    "webhook_id" UUID NOT NULL,
    "event_id" UUID NOT NULL,
    "number" BIGINT NOT NULL,
    "subject" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "tries" INTEGER NOT NULL,
    "due_at" TIMESTAMPTZ(6) NOT NULL,
    "holder" UUID,
    "lease_until" TIMESTAMPTZ(6),
    "tried_at" TIMESTAMPTZ(6),
    "status" INTEGER,
    "problem" TEXT,

    CONSTRAINT "webhook_delivery_pkey" PRIMARY KEY ("company","webhook_id","event_id")
);

-- CreateTable
CREATE TABLE "pay_run" (
    "company" TEXT NOT NULL,
    "run" INTEGER NOT NULL,
    "plan" TEXT NOT NULL,
    "plan_title" TEXT NOT NULL,
    "plan_content" JSONB NOT NULL,
    "from_period" TEXT NOT NULL,
    "to_period" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "watermark" BIGINT NOT NULL,
    "hash" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "rules" JSONB NOT NULL,
    "bridge" JSONB NOT NULL,
    "notes" JSONB NOT NULL,
    "lines" INTEGER NOT NULL,
    "base" DECIMAL(18,2) NOT NULL,
    "pay" DECIMAL(18,2) NOT NULL,
    "calculated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "pay_run_pkey" PRIMARY KEY ("company","run")
);

-- CreateTable
CREATE TABLE "pay_total" (
    "company" TEXT NOT NULL,
    "run" INTEGER NOT NULL,
    "total" INTEGER NOT NULL,
    "component" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "holder" TEXT NOT NULL,
    "rep" TEXT,
    "period" TEXT NOT NULL,
    "class" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "rate" JSONB NOT NULL,
    "lines" INTEGER NOT NULL,
    "base" DECIMAL(18,2) NOT NULL,
    "pay" DECIMAL(18,2) NOT NULL,

    CONSTRAINT "pay_total_pkey" PRIMARY KEY ("company","run","total")
);

-- CreateTable
CREATE TABLE "pay_line" (
    "company" TEXT NOT NULL,
    "run" INTEGER NOT NULL,
    "number" INTEGER NOT NULL,
    "total" INTEGER NOT NULL,
    "posting" UUID NOT NULL,
    "document_type" TEXT NOT NULL,
    "document" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "reversal" BOOLEAN NOT NULL,
    "account" TEXT NOT NULL,
    "document_on" DATE NOT NULL,
    "net" DECIMAL(18,2) NOT NULL,
    "share_percent" DECIMAL(7,4) NOT NULL,
    "assigned_from" DATE,
    "assigned_to" DATE,
    "link" TEXT NOT NULL,
    "credited_document" TEXT,
    "credited_line" INTEGER,
    "credited_on" DATE,
    "evidence" INTEGER NOT NULL,
    "base" DECIMAL(28,8) NOT NULL,
    "exact" DECIMAL(32,14) NOT NULL,
    "pay" DECIMAL(18,2) NOT NULL,

    CONSTRAINT "pay_line_pkey" PRIMARY KEY ("company","run","number")
);

-- CreateTable
CREATE TABLE "pay_evidence" (
    "company" TEXT NOT NULL,
    "run" INTEGER NOT NULL,
    "evidence" INTEGER NOT NULL,
    "facts" JSONB NOT NULL,

    CONSTRAINT "pay_evidence_pkey" PRIMARY KEY ("company","run","evidence")
);

-- CreateTable
CREATE TABLE "alarm" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "open_key" TEXT,
    "level" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "instruction" TEXT NOT NULL,
    "since" TIMESTAMPTZ(6) NOT NULL,
    "told_at" TIMESTAMPTZ(6) NOT NULL,
    "over_at" TIMESTAMPTZ(6),

    CONSTRAINT "alarm_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "alarm_telling" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "alarm_id" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "occasion" TEXT NOT NULL,
    "queued_at" TIMESTAMPTZ(6) NOT NULL,
    "state" TEXT NOT NULL,
    "ended_at" TIMESTAMPTZ(6),
    "tries" INTEGER NOT NULL,
    "problem" TEXT,

    CONSTRAINT "alarm_telling_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "web_order_change" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "change" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "who" TEXT NOT NULL,
    "why" TEXT,
    "request" JSONB,
    "body" JSONB,
    "evidence" JSONB,
    "held" JSONB,
    "cancelled" JSONB NOT NULL,
    "before" JSONB,
    "asked_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6),
    "outcome" TEXT,

    CONSTRAINT "web_order_change_pkey" PRIMARY KEY ("company","order_id","change")
);

-- CreateTable
CREATE TABLE "web_order_erp_look" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,
    "differences" JSONB NOT NULL,
    "noticed_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "web_order_erp_look_pkey" PRIMARY KEY ("company","order_id")
);

-- CreateTable
CREATE TABLE "web_order_intent" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "intent" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "change" INTEGER,
    "body" JSONB,
    "reason" TEXT,
    "payload" JSONB,
    "hash" TEXT,
    "state" TEXT NOT NULL,
    "due_at" TIMESTAMPTZ(6),
    "made_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6),

    CONSTRAINT "web_order_intent_pkey" PRIMARY KEY ("company","order_id","intent")
);

-- CreateTable
CREATE TABLE "web_order_lying" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "since" TIMESTAMPTZ(6) NOT NULL,
    "due_at" TIMESTAMPTZ(6),
    "tries" INTEGER NOT NULL,
    "why" TEXT,

    CONSTRAINT "web_order_lying_pkey" PRIMARY KEY ("company","order_id")
);

-- CreateTable
CREATE TABLE "web_order_lease" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "holder" UUID NOT NULL,
    "until" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "web_order_lease_pkey" PRIMARY KEY ("company","order_id")
);

-- CreateTable
CREATE TABLE "web_order_attempt" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "intent" INTEGER NOT NULL,
    "what" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "holder" UUID NOT NULL,
    "hash" TEXT,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "placed_at" TIMESTAMPTZ(6),
    "quiet_from" TIMESTAMPTZ(6),
    "ended_at" TIMESTAMPTZ(6),
    "outcome" TEXT,
    "evidence" TEXT,

    CONSTRAINT "web_order_attempt_pkey" PRIMARY KEY ("company","order_id","attempt")
);

-- CreateTable
CREATE TABLE "web_order_lag" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "absent_seconds" DOUBLE PRECISION NOT NULL,
    "seen_seconds" DOUBLE PRECISION NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "web_order_lag_pkey" PRIMARY KEY ("company","order_id","attempt")
);

-- CreateTable
CREATE TABLE "web_order_payment" (
    "company" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,

    CONSTRAINT "web_order_payment_pkey" PRIMARY KEY ("company","provider","reference","order_id")
);

-- CreateTable
CREATE TABLE "web_order_shadow" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "shadowed_at" TIMESTAMPTZ(6) NOT NULL,
    "payload" JSONB,
    "sha256" TEXT,
    "problem" TEXT,
    "verdict" TEXT NOT NULL,
    "erp_orders" JSONB NOT NULL,
    "known_by" TEXT,
    "differences" JSONB NOT NULL,
    "compared_at" TIMESTAMPTZ(6),

    CONSTRAINT "web_order_shadow_pkey" PRIMARY KEY ("company","order_id")
);

-- CreateTable
CREATE TABLE "web_order_lost" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "erp_order" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "lost_at" TIMESTAMPTZ(6) NOT NULL,
    "decision" TEXT,
    "decided_by" TEXT,
    "decided_at" TIMESTAMPTZ(6),
    "why" TEXT,

    CONSTRAINT "web_order_lost_pkey" PRIMARY KEY ("company","order_id","erp_order")
);

-- CreateTable
CREATE TABLE "web_order_trial" (
    "company" TEXT NOT NULL,
    "number" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "who" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "outcome" TEXT,
    "evidence" TEXT,
    "erp_order" TEXT,
    "found" BOOLEAN NOT NULL,
    "cancelled" BOOLEAN NOT NULL,
    "confirmed_by" TEXT,
    "confirmed_at" TIMESTAMPTZ(6),
    "confirmed_why" TEXT,

    CONSTRAINT "web_order_trial_pkey" PRIMARY KEY ("company","number")
);

-- CreateTable
CREATE TABLE "web_order_task" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "order_id" UUID,
    "subject" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "about" TEXT NOT NULL,
    "instruction" TEXT NOT NULL,
    "amount" DECIMAL(18,2),
    "state" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(6) NOT NULL,
    "closed_at" TIMESTAMPTZ(6),
    "closed_by" TEXT,
    "reason" TEXT,
    "reference" TEXT,

    CONSTRAINT "web_order_task_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "web_order_request" (
    "company" TEXT NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "api_key" TEXT NOT NULL,
    "body_hash" TEXT NOT NULL,
    "body" JSONB NOT NULL,
    "status" INTEGER,
    "answer" JSON,
    "order_id" UUID,
    "received_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "web_order_request_pkey" PRIMARY KEY ("company","idempotency_key")
);

-- CreateTable
CREATE TABLE "web_order" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "number" TEXT NOT NULL,
    "number_folded" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "open_account" TEXT,
    "open_gross" DECIMAL(18,2),
    "invoiced_net" DECIMAL(18,2) NOT NULL DEFAULT 0,
    "invoiced_vat" DECIMAL(18,2) NOT NULL DEFAULT 0,
    "credited_net" DECIMAL(18,2) NOT NULL DEFAULT 0,
    "credited_vat" DECIMAL(18,2) NOT NULL DEFAULT 0,
    "invoiced_charges" DECIMAL(18,2) NOT NULL DEFAULT 0,
    "invoiced_apart" DECIMAL(18,2) NOT NULL DEFAULT 0,
    "invoiced_apart_vat" DECIMAL(18,2) NOT NULL DEFAULT 0,
    "invoices_unplaced" JSONB,
    "invoiced_anew" JSONB,
    "ordered_on" DATE NOT NULL,
    "placed_by" TEXT NOT NULL,
    "customer_reference" TEXT,
    "likeness" TEXT,
    "currency" TEXT NOT NULL,
    "net" DECIMAL(18,2) NOT NULL,
    "vat" DECIMAL(18,2) NOT NULL,
    "gross" DECIMAL(18,2) NOT NULL,
    "stands_gross" DECIMAL(18,2),
    "paid" DECIMAL(18,2) NOT NULL,
    "body" JSONB NOT NULL,
    "test" BOOLEAN NOT NULL,
    "state" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "reasons" JSONB NOT NULL,
    "attempts" INTEGER NOT NULL,
    "next_attempt_at" TIMESTAMPTZ(6),
    "handed_over_at" TIMESTAMPTZ(6),
    "answer_due_at" TIMESTAMPTZ(6),
    "erp_order" TEXT,
    "erp_net" DECIMAL(18,2),
    "erp_vat" DECIMAL(18,2),
    "lines_read" BOOLEAN NOT NULL DEFAULT false,
    "settled" JSONB NOT NULL,
    "received_at" TIMESTAMPTZ(6) NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "web_order_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "web_order_line" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "line" INTEGER NOT NULL,
    "product" TEXT NOT NULL,
    "open_product" TEXT,
    "quantity" DECIMAL(18,5) NOT NULL,
    "unit_price" DECIMAL(18,6) NOT NULL,
    "net" DECIMAL(18,2) NOT NULL,
    "vat_code" TEXT NOT NULL,
    "vat" DECIMAL(18,2) NOT NULL,
    "stands_gross" DECIMAL(18,2),
    "price" JSONB NOT NULL,
    "despatched_quantity" DECIMAL(18,5) NOT NULL,
    "invoiced_quantity" DECIMAL(18,5) NOT NULL,
    "credited_quantity" DECIMAL(18,5) NOT NULL,
    "cancelled_quantity" DECIMAL(18,5) NOT NULL,

    CONSTRAINT "web_order_line_pkey" PRIMARY KEY ("company","order_id","line")
);

-- CreateTable
CREATE TABLE "web_order_quotation" (
    "company" TEXT NOT NULL,
    "quotation" TEXT NOT NULL,
    "order_id" UUID NOT NULL,

    CONSTRAINT "web_order_quotation_pkey" PRIMARY KEY ("company","quotation","order_id")
);

-- CreateTable
CREATE TABLE "web_order_event" (
    "company" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "event" TEXT NOT NULL,
    "from_state" TEXT,
    "to_state" TEXT NOT NULL,
    "who" TEXT NOT NULL,
    "about" TEXT NOT NULL,

    CONSTRAINT "web_order_event_pkey" PRIMARY KEY ("company","order_id","sequence")
);

-- CreateTable
CREATE TABLE "parity_state" (
    "company" TEXT NOT NULL,
    "batch" BIGINT NOT NULL,
    "policy" TEXT NOT NULL,
    "book" TEXT NOT NULL,
    "checked_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "parity_state_pkey" PRIMARY KEY ("company")
);

-- CreateTable
CREATE TABLE "parity_line" (
    "company" TEXT NOT NULL,
    "document_type" TEXT NOT NULL,
    "document" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "document_on" DATE NOT NULL,
    "account" TEXT NOT NULL,
    "product" TEXT,
    "channel" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "evidence" TEXT NOT NULL,
    "price_kind" TEXT NOT NULL,
    "because" TEXT NOT NULL,
    "priced_on" DATE,
    "counted_quantity" DECIMAL(18,5),
    "quantity" DECIMAL(18,5) NOT NULL,
    "unit_price" DECIMAL(18,6),
    "net" DECIMAL(18,2),
    "vat" DECIMAL(18,2),
    "charged_unit_price" DECIMAL(18,6) NOT NULL,
    "charged_percent" DECIMAL(9,4) NOT NULL,
    "charged_net" DECIMAL(18,2) NOT NULL,
    "charged_vat" DECIMAL(18,2) NOT NULL,
    "difference" DECIMAL(18,2) NOT NULL,
    "vat_difference" DECIMAL(18,2) NOT NULL,
    "currency" TEXT NOT NULL,

    CONSTRAINT "parity_line_pkey" PRIMARY KEY ("company","document_type","document","line")
);

-- CreateTable
CREATE TABLE "parity_total" (
    "company" TEXT NOT NULL,
    "document_on" DATE NOT NULL,
    "channel" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "price_kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "lines" INTEGER NOT NULL,
    "charged_net" DECIMAL(18,2) NOT NULL,
    "difference" DECIMAL(18,2) NOT NULL,
    "vat_lines" INTEGER NOT NULL,

    CONSTRAINT "parity_total_pkey" PRIMARY KEY ("company","document_on","channel","source","price_kind","state","reason","currency")
);

-- CreateTable
CREATE TABLE "certification" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "made_at" TIMESTAMPTZ(6) NOT NULL,
    "policy" TEXT NOT NULL,
    "verdict" TEXT NOT NULL,
    "document" JSONB NOT NULL,
    "sha256" TEXT NOT NULL,
    "signed_by" TEXT,
    "signed_at" TIMESTAMPTZ(6),
    "signed_why" TEXT,

    CONSTRAINT "certification_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "plan" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "sha256" TEXT,
    "basis" JSONB NOT NULL,
    "gathered" JSONB NOT NULL,
    "made_at" TIMESTAMPTZ(6) NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "plan_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "stream_shape" (
    "company" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "columns" JSONB,
    "pending" JSONB,
    "accepted" JSONB,
    "changed_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "stream_shape_pkey" PRIMARY KEY ("company","connection","stream")
);

-- CreateTable
CREATE TABLE "raw_chunk" (
    "company" TEXT NOT NULL,
    "origin_id" UUID NOT NULL,
    "first_line" INTEGER NOT NULL,
    "last_line" INTEGER NOT NULL,
    "rows" INTEGER NOT NULL,
    "content" BYTEA NOT NULL,
    "kept_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "raw_chunk_pkey" PRIMARY KEY ("company","origin_id","first_line")
);

-- CreateTable
CREATE TABLE "price_change" (
    "company" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "published_at" TIMESTAMPTZ(6) NOT NULL,
    "scopes" JSONB NOT NULL,
    "seen" JSONB NOT NULL,

    CONSTRAINT "price_change_pkey" PRIMARY KEY ("company","version")
);

-- CreateTable
CREATE TABLE "price_round" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "starts_at" TIMESTAMPTZ(6) NOT NULL,
    "confirm_by" TIMESTAMPTZ(6) NOT NULL,
    "words" JSONB NOT NULL,
    "file" TEXT NOT NULL,
    "file_sha256" TEXT NOT NULL,
    "checked" JSONB NOT NULL,
    "loaded_at" TIMESTAMPTZ(6) NOT NULL,
    "loaded_by" TEXT NOT NULL,
    "decided_at" TIMESTAMPTZ(6),
    "decided_by" TEXT,
    "why" TEXT,
    "ended_at" TIMESTAMPTZ(6),

    CONSTRAINT "price_round_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "price_round_rule" (
    "company" TEXT NOT NULL,
    "round_id" UUID NOT NULL,
    "rule" TEXT NOT NULL,
    "from_quantity" DECIMAL(18,5) NOT NULL,
    "line" INTEGER NOT NULL,
    "row" JSONB NOT NULL,
    "before" JSONB,
    "state" TEXT NOT NULL,
    "seen" JSONB,
    "seen_at" TIMESTAMPTZ(6),

    CONSTRAINT "price_round_rule_pkey" PRIMARY KEY ("company","round_id","rule","from_quantity")
);

-- CreateTable
CREATE TABLE "price_hold" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "about" TEXT NOT NULL,
    "effect" JSONB NOT NULL,
    "held_at" TIMESTAMPTZ(6) NOT NULL,
    "decided_at" TIMESTAMPTZ(6),
    "decided_by" TEXT,
    "why" TEXT,

    CONSTRAINT "price_hold_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "price_hold_rule" (
    "company" TEXT NOT NULL,
    "hold_id" UUID NOT NULL,
    "rule" TEXT NOT NULL,
    "from_quantity" DECIMAL(18,5) NOT NULL,
    "before" JSONB,
    "after" JSONB,

    CONSTRAINT "price_hold_rule_pkey" PRIMARY KEY ("company","hold_id","rule","from_quantity")
);

-- CreateTable
CREATE TABLE "price_overlay" (
    "company" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "from_quantity" DECIMAL(18,5) NOT NULL,
    "part" INTEGER NOT NULL,
    "hides" BOOLEAN NOT NULL,
    "row" JSONB,
    "source" TEXT,
    "source_id" UUID,
    "learned_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "price_overlay_pkey" PRIMARY KEY ("company","rule","from_quantity","part")
);

-- CreateTable
CREATE TABLE "price_book" (
    "company" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "digest" TEXT NOT NULL,
    "maker" TEXT NOT NULL,
    "policy" TEXT NOT NULL,
    "rules" INTEGER NOT NULL,
    "bytes" BIGINT NOT NULL,
    "runs" JSONB NOT NULL,
    "published_at" TIMESTAMPTZ(6) NOT NULL,
    "freshness" TIMESTAMPTZ(6),

    CONSTRAINT "price_book_pkey" PRIMARY KEY ("company","version")
);

-- CreateTable
CREATE TABLE "promotion_tally" (
    "company" TEXT NOT NULL,
    "promotion" TEXT NOT NULL,
    "orders" INTEGER NOT NULL,
    "given" DECIMAL(18,2) NOT NULL,

    CONSTRAINT "promotion_tally_pkey" PRIMARY KEY ("company","promotion")
);

-- CreateTable
CREATE TABLE "promotion_use" (
    "company" TEXT NOT NULL,
    "promotion" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "account" TEXT NOT NULL,
    "given" DECIMAL(18,2) NOT NULL,
    "reserved_at" TIMESTAMPTZ(6) NOT NULL,
    "released_at" TIMESTAMPTZ(6),

    CONSTRAINT "promotion_use_pkey" PRIMARY KEY ("company","promotion","order_id")
);

-- CreateTable
CREATE TABLE "quarantine" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "mapping" TEXT,
    "run_id" UUID NOT NULL,
    "origin_id" UUID,
    "origin_name" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "raw" TEXT NOT NULL,
    "row_values" JSONB,
    "record" TEXT,
    "record_key" TEXT,
    "problems" JSONB NOT NULL,
    "reason" TEXT NOT NULL,
    "fingerprint" UUID NOT NULL,
    "worth" DECIMAL(18,2),
    "customer_scope" TEXT,
    "customer_code" TEXT,
    "first_seen_at" TIMESTAMPTZ(6) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(6) NOT NULL,
    "came_again" INTEGER NOT NULL,
    "follows" UUID,
    "correction" JSONB,
    "correction_holds" BOOLEAN NOT NULL,
    "state" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(6) NOT NULL,
    "closed_at" TIMESTAMPTZ(6),
    "closed_by" TEXT,
    "closed_by_hand" BOOLEAN NOT NULL,

    CONSTRAINT "quarantine_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "quarantine_event" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "item" UUID NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "who" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "details" JSONB NOT NULL,

    CONSTRAINT "quarantine_event_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "sales_ledger" (
    "company" TEXT NOT NULL,
    "last_batch" BIGINT NOT NULL,
    "rules" JSONB NOT NULL,
    "looked_at" TIMESTAMPTZ(6),
    "looked_at_all" TIMESTAMPTZ(6),

    CONSTRAINT "sales_ledger_pkey" PRIMARY KEY ("company")
);

-- CreateTable
CREATE TABLE "sales_posting" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "document_type" TEXT NOT NULL,
    "document" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "reversal" BOOLEAN NOT NULL,
    "account" TEXT NOT NULL,
    "document_on" DATE NOT NULL,
    "period" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "channel_evidence" TEXT NOT NULL,
    "assisted" BOOLEAN NOT NULL,
    "line_class" TEXT NOT NULL,
    "product" TEXT,
    "product_group" TEXT,
    "quantity" DECIMAL(18,5) NOT NULL,
    "unit_price" DECIMAL(18,6) NOT NULL,
    "net" DECIMAL(18,2) NOT NULL,
    "vat" DECIMAL(18,2) NOT NULL,
    "cost" DECIMAL(18,2),
    "currency" TEXT NOT NULL,
    "taken_by" TEXT,
    "branch" TEXT,
    "web_order" TEXT,
    "erp_order" TEXT,
    "credits_document" TEXT,
    "credits_line" INTEGER,
    "content_hash" UUID NOT NULL,
    "origin_id" UUID NOT NULL,
    "origin_line" INTEGER NOT NULL,
    "batch" BIGINT NOT NULL,
    "posted_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "sales_posting_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "sales_line_state" (
    "company" TEXT NOT NULL,
    "document_type" TEXT NOT NULL,
    "document" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "version" INTEGER NOT NULL,
    "posting" UUID,
    "content_hash" UUID,
    "row_hash" UUID NOT NULL,

    CONSTRAINT "sales_line_state_pkey" PRIMARY KEY ("company","document_type","document","line")
);

-- CreateTable
CREATE TABLE "sales_input" (
    "company" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "digest" UUID NOT NULL,

    CONSTRAINT "sales_input_pkey" PRIMARY KEY ("company","kind","key")
);

-- CreateTable
CREATE TABLE "sales_total" (
    "company" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "period" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "assisted" BOOLEAN NOT NULL,
    "currency" TEXT NOT NULL,
    "lines" INTEGER NOT NULL,
    "net" DECIMAL(18,2) NOT NULL,
    "vat" DECIMAL(18,2) NOT NULL,
    "cost" DECIMAL(18,2) NOT NULL,
    "uncosted_net" DECIMAL(18,2) NOT NULL,

    CONSTRAINT "sales_total_pkey" PRIMARY KEY ("company","account","period","channel","assisted","currency")
);

-- CreateTable
CREATE TABLE "order_invoice_link" (
    "company" TEXT NOT NULL,
    "document_type" TEXT NOT NULL,
    "document" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "web_order" TEXT NOT NULL,
    "web_order_line" INTEGER NOT NULL,
    "quantity" DECIMAL(18,5) NOT NULL,
    "net" DECIMAL(18,2) NOT NULL,
    "evidence" TEXT NOT NULL,

    CONSTRAINT "order_invoice_link_pkey" PRIMARY KEY ("company","document_type","document","line","web_order","web_order_line")
);

-- CreateTable
CREATE TABLE "order_invoice_suggestion" (
    "company" TEXT NOT NULL,
    "document_type" TEXT NOT NULL,
    "document" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "web_order" TEXT NOT NULL,
    "web_order_line" INTEGER NOT NULL,
    "quantity" DECIMAL(18,5) NOT NULL,
    "reason" TEXT NOT NULL,
    "suggested_at" TIMESTAMPTZ(6) NOT NULL,
    "decision" TEXT,
    "decided_by" TEXT,
    "decided_at" TIMESTAMPTZ(6),

    CONSTRAINT "order_invoice_suggestion_pkey" PRIMARY KEY ("company","document_type","document","line","web_order","web_order_line")
);

-- CreateTable
CREATE TABLE "schedule" (
    "company" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "cron" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "made_at" TIMESTAMPTZ(6) NOT NULL,
    "accounted_to" TIMESTAMPTZ(6) NOT NULL,
    "next_at" TIMESTAMPTZ(6),

    CONSTRAINT "schedule_pkey" PRIMARY KEY ("company","connection","name")
);

-- CreateTable
CREATE TABLE "schedule_slot" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "connection" TEXT NOT NULL,
    "schedule" TEXT NOT NULL,
    "slot_at" TIMESTAMPTZ(6) NOT NULL,
    "due_at" TIMESTAMPTZ(6) NOT NULL,
    "state" TEXT NOT NULL,
    "stands_for" INTEGER NOT NULL,
    "asked_by" TEXT,
    "streams" JSONB,
    "tries" INTEGER NOT NULL,
    "holder" TEXT,
    "beat" INTEGER NOT NULL,
    "started_at" TIMESTAMPTZ(6),
    "ended_at" TIMESTAMPTZ(6),
    "problem" TEXT,
    "progress" JSONB,

    CONSTRAINT "schedule_slot_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "schedule_pause" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "scope" TEXT NOT NULL,
    "open_scope" TEXT,
    "paused_at" TIMESTAMPTZ(6) NOT NULL,
    "paused_by" TEXT NOT NULL,
    "resumed_at" TIMESTAMPTZ(6),
    "resumed_by" TEXT,

    CONSTRAINT "schedule_pause_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "stream_promise" (
    "company" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "since" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "stream_promise_pkey" PRIMARY KEY ("company","connection","stream")
);

-- CreateTable
CREATE TABLE "service_instance" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "seen_at" TIMESTAMPTZ(6) NOT NULL,
    "settings" TEXT,
    "stopped_at" TIMESTAMPTZ(6),

    CONSTRAINT "service_instance_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "shop_feed" (
    "company" TEXT NOT NULL,
    "last" BIGINT NOT NULL,
    "noted_at" TIMESTAMPTZ(6),

    CONSTRAINT "shop_feed_pkey" PRIMARY KEY ("company")
);

-- CreateTable
CREATE TABLE "shop_feed_mark" (
    "company" TEXT NOT NULL,
    "number" BIGINT NOT NULL,
    "mark" TEXT NOT NULL,
    "made_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "shop_feed_mark_pkey" PRIMARY KEY ("company","number")
);

-- CreateTable
CREATE TABLE "shop_item" (
    "company" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "digest" UUID NOT NULL,
    "gone" BOOLEAN NOT NULL,
    "number" BIGINT NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "shop_item_pkey" PRIMARY KEY ("company","kind","key")
);

-- CreateTable
CREATE TABLE "shop_drop" (
    "company" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "number" BIGINT NOT NULL,
    "laid_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "shop_drop_pkey" PRIMARY KEY ("company","kind")
);

-- CreateTable
CREATE TABLE "record_change" (
    "company" TEXT NOT NULL,
    "record" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "run_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "whole" BOOLEAN NOT NULL,

    CONSTRAINT "record_change_pkey" PRIMARY KEY ("company","record","number")
);

-- CreateTable
CREATE TABLE "superseded_row" (
    "company" TEXT NOT NULL,
    "record" TEXT NOT NULL,
    "change" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "place" TEXT NOT NULL,
    "was" JSONB,
    "known_from" TIMESTAMPTZ(6),
    "known_to" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "superseded_row_pkey" PRIMARY KEY ("company","record","change","key","place")
);

-- CreateTable
CREATE TABLE "run_mark" (
    "company" TEXT NOT NULL,
    "run_id" UUID NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "reading" TEXT NOT NULL,
    "cursor_from" JSONB,
    "cursor" JSONB NOT NULL,
    "parts" JSONB NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "marked_at" TIMESTAMPTZ(6) NOT NULL,
    "attempts" INTEGER NOT NULL,

    CONSTRAINT "run_mark_pkey" PRIMARY KEY ("company","run_id")
);

-- CreateTable
CREATE TABLE "run_held" (
    "company" TEXT NOT NULL,
    "run_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "place" INTEGER NOT NULL,
    "body" JSONB NOT NULL,

    CONSTRAINT "run_held_pkey" PRIMARY KEY ("company","run_id","kind","place")
);

-- CreateTable
CREATE TABLE "history_load" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "from_on" DATE NOT NULL,
    "to_on" DATE NOT NULL,
    "began_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6),

    CONSTRAINT "history_load_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "history_slice" (
    "company" TEXT NOT NULL,
    "load_id" UUID NOT NULL,
    "from_on" DATE NOT NULL,
    "to_on" DATE NOT NULL,
    "run_id" UUID NOT NULL,
    "rows" BIGINT NOT NULL,
    "seconds" DOUBLE PRECISION NOT NULL,
    "read_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "history_slice_pkey" PRIMARY KEY ("company","load_id","from_on")
);

-- CreateTable
CREATE TABLE "run" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "kind" TEXT NOT NULL DEFAULT 'pull',
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6),
    "error" TEXT,
    "cursor_before" JSONB,
    "cursor_after" JSONB,
    "rows_read" BIGINT NOT NULL,
    "rows_so_far" BIGINT,
    "mapped" BIGINT NOT NULL,
    "ignored" BIGINT NOT NULL,
    "repeated" BIGINT NOT NULL,
    "quarantined" BIGINT NOT NULL,
    "counts" JSONB NOT NULL,
    "origins" INTEGER NOT NULL,
    "note" TEXT,
    "fault_kind" TEXT,
    "retry_at" TIMESTAMPTZ(6),
    "continues" UUID,
    "checkpoints" INTEGER NOT NULL DEFAULT 0,
    "stop_asked_at" TIMESTAMPTZ(6),
    "stop_asked_by" TEXT,

    CONSTRAINT "run_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "origin" (
    "company" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kept_at" TEXT,
    "sha256" TEXT,
    "bytes" BIGINT,
    "rows" INTEGER NOT NULL,
    "applied_at" TIMESTAMPTZ(6),
    "ordinal" INTEGER NOT NULL,

    CONSTRAINT "origin_pkey" PRIMARY KEY ("company","id")
);

-- CreateTable
CREATE TABLE "stream_state" (
    "company" TEXT NOT NULL,
    "connection" TEXT NOT NULL,
    "stream" TEXT NOT NULL,
    "cursor" JSONB,
    "mappings" JSONB,
    "last_run_id" UUID,
    "last_applied_at" TIMESTAMPTZ(6),
    "last_seen_at" TIMESTAMPTZ(6),
    "holder" TEXT,
    "lease_until" TIMESTAMPTZ(6),

    CONSTRAINT "stream_state_pkey" PRIMARY KEY ("company","connection","stream")
);

-- CreateIndex
CREATE INDEX "api_key_hash_idx" ON "api_key"("hash");

-- CreateIndex
CREATE INDEX "audit_company_at_idx" ON "audit"("company", "at");

-- CreateIndex
CREATE INDEX "account_request_company_state_idx" ON "account_request"("company", "state");

-- CreateIndex
CREATE UNIQUE INDEX "account_request_company_number_key" ON "account_request"("company", "number");

-- CreateIndex
CREATE INDEX "return_request_company_document_idx" ON "return_request"("company", "document");

-- CreateIndex
CREATE INDEX "return_request_company_state_idx" ON "return_request"("company", "state");

-- CreateIndex
CREATE UNIQUE INDEX "return_request_company_number_key" ON "return_request"("company", "number");

-- CreateIndex
CREATE INDEX "customer_company_rep_idx" ON "customer"("company", "rep");

-- CreateIndex
CREATE INDEX "assignment_company_rep_idx" ON "assignment"("company", "rep");

-- CreateIndex
CREATE INDEX "erp_order_company_web_order_idx" ON "erp_order"("company", "web_order");

-- CreateIndex
CREATE INDEX "erp_order_company_account_state_idx" ON "erp_order"("company", "account", "state");

-- CreateIndex
CREATE INDEX "erp_order_company_learned_at_idx" ON "erp_order"("company", "learned_at");

-- CreateIndex
CREATE INDEX "erp_order_line_company_learned_at_idx" ON "erp_order_line"("company", "learned_at");

-- CreateIndex
CREATE INDEX "order_acknowledgement_company_learned_at_idx" ON "order_acknowledgement"("company", "learned_at");

-- CreateIndex
CREATE INDEX "despatch_company_account_despatched_on_idx" ON "despatch"("company", "account", "despatched_on");

-- CreateIndex
CREATE INDEX "despatch_line_company_erp_order_erp_order_line_idx" ON "despatch_line"("company", "erp_order", "erp_order_line");

-- CreateIndex
CREATE INDEX "despatch_line_company_learned_at_idx" ON "despatch_line"("company", "learned_at");

-- CreateIndex
CREATE INDEX "sales_document_company_account_document_on_idx" ON "sales_document"("company", "account", "document_on");

-- CreateIndex
CREATE INDEX "sales_document_company_account_customer_reference_document__idx" ON "sales_document"("company", "account", "customer_reference", "document_on");

-- CreateIndex
CREATE INDEX "sales_document_company_document_on_idx" ON "sales_document"("company", "document_on");

-- CreateIndex
CREATE INDEX "sales_document_company_web_order_idx" ON "sales_document"("company", "web_order");

-- CreateIndex
CREATE INDEX "sales_document_company_erp_order_idx" ON "sales_document"("company", "erp_order");

-- CreateIndex
CREATE INDEX "sales_document_company_learned_at_idx" ON "sales_document"("company", "learned_at");

-- CreateIndex
CREATE INDEX "sales_line_company_erp_order_erp_order_line_idx" ON "sales_line"("company", "erp_order", "erp_order_line");

-- CreateIndex
CREATE INDEX "sales_line_company_credits_document_idx" ON "sales_line"("company", "credits_document");

-- CreateIndex
CREATE INDEX "sales_line_company_product_idx" ON "sales_line"("company", "product");

-- CreateIndex
CREATE INDEX "sales_line_company_learned_at_idx" ON "sales_line"("company", "learned_at");

-- CreateIndex
CREATE INDEX "receipt_company_account_received_on_idx" ON "receipt"("company", "account", "received_on");

-- CreateIndex
CREATE INDEX "settlement_company_document_idx" ON "settlement"("company", "document");

-- CreateIndex
CREATE INDEX "settlement_company_receipt_idx" ON "settlement"("company", "receipt");

-- CreateIndex
CREATE INDEX "settlement_company_settled_on_idx" ON "settlement"("company", "settled_on");

-- CreateIndex
CREATE INDEX "ledger_transaction_company_account_idx" ON "ledger_transaction"("company", "account");

-- CreateIndex
CREATE INDEX "ledger_transaction_company_document_idx" ON "ledger_transaction"("company", "document");

-- CreateIndex
CREATE INDEX "completeness_finding_company_state_idx" ON "completeness_finding"("company", "state");

-- CreateIndex
CREATE INDEX "completeness_finding_company_connection_stream_kind_state_idx" ON "completeness_finding"("company", "connection", "stream", "kind", "state");

-- CreateIndex
CREATE INDEX "completeness_finding_company_run_id_idx" ON "completeness_finding"("company", "run_id");

-- CreateIndex
CREATE INDEX "run_volume_company_connection_stream_weekday_at_idx" ON "run_volume"("company", "connection", "stream", "weekday", "at");

-- CreateIndex
CREATE UNIQUE INDEX "connection_go_live_company_open_connection_key" ON "connection_go_live"("company", "open_connection");

-- CreateIndex
CREATE UNIQUE INDEX "connection_stop_company_open_key_key" ON "connection_stop"("company", "open_key");

-- CreateIndex
CREATE UNIQUE INDEX "event_company_number_key" ON "event"("company", "number");

-- CreateIndex
CREATE INDEX "webhook_delivery_company_webhook_id_state_due_at_number_idx" ON "webhook_delivery"("company", "webhook_id", "state", "due_at", "number");

-- CreateIndex
CREATE INDEX "webhook_delivery_company_webhook_id_state_subject_number_idx" ON "webhook_delivery"("company", "webhook_id", "state", "subject", "number");

-- CreateIndex
CREATE UNIQUE INDEX "pay_run_company_plan_from_period_to_period_version_key" ON "pay_run"("company", "plan", "from_period", "to_period", "version");

-- CreateIndex
CREATE INDEX "pay_total_company_rep_run_idx" ON "pay_total"("company", "rep", "run");

-- CreateIndex
CREATE INDEX "pay_line_company_run_total_idx" ON "pay_line"("company", "run", "total");

-- CreateIndex
CREATE INDEX "alarm_company_since_idx" ON "alarm"("company", "since");

-- CreateIndex
CREATE UNIQUE INDEX "alarm_company_open_key_key" ON "alarm"("company", "open_key");

-- CreateIndex
CREATE INDEX "alarm_telling_company_state_channel_idx" ON "alarm_telling"("company", "state", "channel");

-- CreateIndex
CREATE INDEX "alarm_telling_company_alarm_id_idx" ON "alarm_telling"("company", "alarm_id");

-- CreateIndex
CREATE INDEX "web_order_change_company_state_idx" ON "web_order_change"("company", "state");

-- CreateIndex
CREATE INDEX "web_order_attempt_company_outcome_ended_at_idx" ON "web_order_attempt"("company", "outcome", "ended_at");

-- CreateIndex
CREATE INDEX "web_order_lag_company_at_idx" ON "web_order_lag"("company", "at");

-- CreateIndex
CREATE INDEX "web_order_task_company_state_idx" ON "web_order_task"("company", "state");

-- CreateIndex
CREATE INDEX "web_order_task_company_order_id_idx" ON "web_order_task"("company", "order_id");

-- CreateIndex
CREATE UNIQUE INDEX "web_order_task_company_subject_kind_about_key" ON "web_order_task"("company", "subject", "kind", "about");

-- CreateIndex
CREATE INDEX "web_order_company_number_idx" ON "web_order"("company", "number");

-- CreateIndex
CREATE INDEX "web_order_company_account_likeness_received_at_idx" ON "web_order"("company", "account", "likeness", "received_at");

-- CreateIndex
CREATE INDEX "web_order_company_account_customer_reference_ordered_on_idx" ON "web_order"("company", "account", "customer_reference", "ordered_on");

-- CreateIndex
CREATE INDEX "web_order_company_open_account_idx" ON "web_order"("company", "open_account");

-- CreateIndex
CREATE INDEX "web_order_company_state_idx" ON "web_order"("company", "state");

-- CreateIndex
CREATE INDEX "web_order_company_erp_order_idx" ON "web_order"("company", "erp_order");

-- CreateIndex
CREATE INDEX "web_order_company_changed_at_idx" ON "web_order"("company", "changed_at");

-- CreateIndex
CREATE UNIQUE INDEX "web_order_company_number_folded_key" ON "web_order"("company", "number_folded");

-- CreateIndex
CREATE INDEX "web_order_line_company_open_product_order_id_idx" ON "web_order_line"("company", "open_product", "order_id");

-- CreateIndex
CREATE INDEX "parity_line_company_document_on_idx" ON "parity_line"("company", "document_on");

-- CreateIndex
CREATE INDEX "parity_line_company_account_idx" ON "parity_line"("company", "account");

-- CreateIndex
CREATE INDEX "plan_company_connection_stream_state_idx" ON "plan"("company", "connection", "stream", "state");

-- CreateIndex
CREATE INDEX "raw_chunk_company_kept_at_idx" ON "raw_chunk"("company", "kept_at");

-- CreateIndex
CREATE INDEX "price_change_company_published_at_idx" ON "price_change"("company", "published_at");

-- CreateIndex
CREATE INDEX "price_round_company_state_idx" ON "price_round"("company", "state");

-- CreateIndex
CREATE INDEX "price_hold_company_state_idx" ON "price_hold"("company", "state");

-- CreateIndex
CREATE INDEX "price_overlay_company_learned_at_idx" ON "price_overlay"("company", "learned_at");

-- CreateIndex
CREATE INDEX "promotion_use_company_order_id_idx" ON "promotion_use"("company", "order_id");

-- CreateIndex
CREATE INDEX "promotion_use_company_promotion_account_idx" ON "promotion_use"("company", "promotion", "account");

-- CreateIndex
CREATE INDEX "quarantine_company_state_idx" ON "quarantine"("company", "state");

-- CreateIndex
CREATE INDEX "quarantine_company_connection_stream_fingerprint_idx" ON "quarantine"("company", "connection", "stream", "fingerprint");

-- CreateIndex
CREATE INDEX "quarantine_event_company_item_idx" ON "quarantine_event"("company", "item");

-- CreateIndex
CREATE INDEX "sales_posting_company_batch_idx" ON "sales_posting"("company", "batch");

-- CreateIndex
CREATE INDEX "sales_posting_company_period_idx" ON "sales_posting"("company", "period");

-- CreateIndex
CREATE UNIQUE INDEX "sales_posting_company_document_type_document_line_version_r_key" ON "sales_posting"("company", "document_type", "document", "line", "version", "reversal");

-- CreateIndex
CREATE INDEX "sales_total_company_period_idx" ON "sales_total"("company", "period");

-- CreateIndex
CREATE INDEX "order_invoice_link_company_web_order_idx" ON "order_invoice_link"("company", "web_order");

-- CreateIndex
CREATE INDEX "schedule_slot_company_state_idx" ON "schedule_slot"("company", "state");

-- CreateIndex
CREATE UNIQUE INDEX "schedule_slot_company_connection_schedule_slot_at_key" ON "schedule_slot"("company", "connection", "schedule", "slot_at");

-- CreateIndex
CREATE UNIQUE INDEX "schedule_pause_company_open_scope_key" ON "schedule_pause"("company", "open_scope");

-- CreateIndex
CREATE INDEX "shop_item_company_kind_number_idx" ON "shop_item"("company", "kind", "number");

-- CreateIndex
CREATE INDEX "superseded_row_company_record_place_known_to_idx" ON "superseded_row"("company", "record", "place", "known_to");

-- CreateIndex
CREATE INDEX "run_mark_company_connection_stream_idx" ON "run_mark"("company", "connection", "stream");

-- CreateIndex
CREATE INDEX "history_load_company_connection_stream_idx" ON "history_load"("company", "connection", "stream");

-- CreateIndex
CREATE INDEX "run_company_connection_stream_started_at_idx" ON "run"("company", "connection", "stream", "started_at");

-- CreateIndex
CREATE INDEX "origin_company_connection_stream_sha256_idx" ON "origin"("company", "connection", "stream", "sha256");

-- CreateIndex
CREATE INDEX "origin_company_run_id_idx" ON "origin"("company", "run_id");
