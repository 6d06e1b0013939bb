export interface Product {
  id: number;
  slug: string;
  name: string;
  description: string;
  specs: string;
  priceCents: number;
  stock: number;
  imageUrl: string | null;
  category: { id: number; name: string };
  reviews: Review[];
}

export interface Review {
  id: number;
  rating: number;
  body: string;
  user?: { name: string };
}

export interface OrderSummary {
  id: number;
  status: string;
  total: string;
  placedAt: string;
  items: Array<{ name: string; quantity: number }>;
}

export interface Customer {
  id: number;
  name: string;
  email: string;
  orders: Array<{ id: number; totalCents: number }>;
}
