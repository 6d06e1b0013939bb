CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TYPE "Role" AS ENUM ('CUSTOMER', 'ADMIN');
CREATE TYPE "OrderStatus" AS ENUM ('PENDING', 'PAID', 'SHIPPED', 'CANCELLED');

CREATE TABLE "User" (
  "id" SERIAL PRIMARY KEY,
  "email" TEXT NOT NULL,
  "passwordHash" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "phone" TEXT,
  "bio" TEXT,
  "role" "Role" NOT NULL DEFAULT 'CUSTOMER',
  "newsletter" BOOLEAN NOT NULL DEFAULT false,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX "User_email_key" ON "User" ("email");

CREATE TABLE "Category" (
  "id" SERIAL PRIMARY KEY,
  "name" TEXT NOT NULL
);
CREATE UNIQUE INDEX "Category_name_key" ON "Category" ("name");

CREATE TABLE "Product" (
  "id" SERIAL PRIMARY KEY,
  "slug" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT NOT NULL,
  "specs" TEXT NOT NULL DEFAULT '',
  "priceCents" INTEGER NOT NULL,
  "stock" INTEGER NOT NULL CHECK ("stock" >= 0),
  "imageUrl" TEXT,
  "ratingSum" INTEGER NOT NULL DEFAULT 0,
  "ratingCount" INTEGER NOT NULL DEFAULT 0,
  "categoryId" INTEGER NOT NULL REFERENCES "Category" ("id"),
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX "Product_slug_key" ON "Product" ("slug");

CREATE TABLE "Review" (
  "id" SERIAL PRIMARY KEY,
  "productId" INTEGER NOT NULL REFERENCES "Product" ("id"),
  "userId" INTEGER NOT NULL REFERENCES "User" ("id"),
  "rating" INTEGER NOT NULL,
  "body" TEXT NOT NULL,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE "CartItem" (
  "id" SERIAL PRIMARY KEY,
  "userId" INTEGER NOT NULL REFERENCES "User" ("id"),
  "productId" INTEGER NOT NULL REFERENCES "Product" ("id"),
  "quantity" INTEGER NOT NULL
);
CREATE UNIQUE INDEX "CartItem_userId_productId_key" ON "CartItem" ("userId", "productId");

CREATE TABLE "WishlistItem" (
  "id" SERIAL PRIMARY KEY,
  "userId" INTEGER NOT NULL REFERENCES "User" ("id"),
  "productId" INTEGER NOT NULL REFERENCES "Product" ("id")
);
CREATE UNIQUE INDEX "WishlistItem_userId_productId_key" ON "WishlistItem" ("userId", "productId");

CREATE TABLE "Order" (
  "id" SERIAL PRIMARY KEY,
  "userId" INTEGER NOT NULL REFERENCES "User" ("id"),
  "status" "OrderStatus" NOT NULL DEFAULT 'PENDING',
  "totalCents" INTEGER NOT NULL,
  "address" TEXT NOT NULL,
  "couponCode" TEXT,
  "paymentRef" TEXT,
  "requestKey" TEXT NOT NULL,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE "OrderItem" (
  "id" SERIAL PRIMARY KEY,
  "orderId" INTEGER NOT NULL REFERENCES "Order" ("id"),
  "productId" INTEGER NOT NULL REFERENCES "Product" ("id"),
  "quantity" INTEGER NOT NULL,
  "priceCents" INTEGER NOT NULL
);

CREATE TABLE "Coupon" (
  "id" SERIAL PRIMARY KEY,
  "code" TEXT NOT NULL,
  "percentOff" INTEGER NOT NULL,
  "remaining" INTEGER NOT NULL CHECK ("remaining" >= 0)
);
CREATE UNIQUE INDEX "Coupon_code_key" ON "Coupon" ("code");

CREATE TABLE "MailJob" (
  "id" SERIAL PRIMARY KEY,
  "recipient" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "template" TEXT NOT NULL,
  "values" JSONB NOT NULL,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "runAfter" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "sentAt" TIMESTAMP(3)
);

CREATE TABLE "session" (
  "sid" VARCHAR NOT NULL PRIMARY KEY,
  "sess" JSON NOT NULL,
  "expire" TIMESTAMP(6) NOT NULL
);

CREATE INDEX "session_expire_idx" ON "session" ("expire");
CREATE INDEX "MailJob_sentAt_runAfter_idx" ON "MailJob" ("sentAt", "runAfter");
CREATE INDEX "User_role_id_idx" ON "User" ("role", "id");
CREATE INDEX "User_newsletter_id_idx" ON "User" ("newsletter", "id");
CREATE INDEX "Product_categoryId_ratingCount_id_idx" ON "Product" ("categoryId", "ratingCount", "id");
CREATE INDEX "Product_name_idx" ON "Product" USING GIN ("name" gin_trgm_ops);
CREATE UNIQUE INDEX "Review_userId_productId_key" ON "Review" ("userId", "productId");
CREATE INDEX "Review_productId_id_idx" ON "Review" ("productId", "id");
CREATE INDEX "CartItem_productId_idx" ON "CartItem" ("productId");
CREATE INDEX "WishlistItem_productId_idx" ON "WishlistItem" ("productId");
CREATE UNIQUE INDEX "Order_userId_requestKey_key" ON "Order" ("userId", "requestKey");
CREATE INDEX "Order_userId_id_idx" ON "Order" ("userId", "id");
CREATE INDEX "Order_userId_status_idx" ON "Order" ("userId", "status");
CREATE INDEX "Order_status_id_idx" ON "Order" ("status", "id");
CREATE INDEX "Order_createdAt_idx" ON "Order" ("createdAt");
CREATE INDEX "OrderItem_orderId_idx" ON "OrderItem" ("orderId");
CREATE INDEX "OrderItem_productId_idx" ON "OrderItem" ("productId");
