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
  "stock" INTEGER NOT NULL,
  "imageUrl" TEXT,
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
  "remaining" INTEGER NOT NULL
);
CREATE UNIQUE INDEX "Coupon_code_key" ON "Coupon" ("code");
