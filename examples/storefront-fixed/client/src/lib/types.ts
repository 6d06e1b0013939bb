export interface Page<T> {
  items: T[];
  next: number | null;
}

export interface ProductSummary {
  id: number;
  slug: string;
  name: string;
  priceCents: number;
  stock: number;
  imageUrl: string | null;
  rating: number | null;
  ratingCount: number;
}

export interface ProductDetails {
  id: number;
  slug: string;
  name: string;
  description: string;
  specs: string;
  categoryId: number;
  reviews: Array<{ id: number; rating: number; body: string }>;
  related: Array<{ id: number; slug: string; name: string }>;
}

export interface CartItem {
  productId: number;
  quantity: number;
}

export interface OrderSummary {
  id: number;
  status: string;
  total: string;
  items: Array<{ name: string; quantity: number }>;
}

export interface AdminOrder {
  id: number;
  status: string;
  totalCents: number;
}

export interface Customer {
  id: number;
  name: string;
  email: string;
  _count: { orders: number };
}
